// SPDX-License-Identifier: Apache-2.0
// llcuda-eval: how closely an engine, or the interpreter over a checkpoint, follows recorded answers.
#include <cstdio>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>

#include "compiler/reference/interpreted_model.h"

namespace {

using namespace llcuda;

struct Options {
  std::string model;
  std::string oracle;
  unsigned threads = 0;
  bool json = false;
};

void print(const reference::Agreement& agreement, bool json) {
  const double share = 100.0 * static_cast<double>(agreement.otherBest) / static_cast<double>(agreement.steps);
  const char* format =
      json ? "{\"steps\": %zu, \"other_best\": %zu, \"other_best_percent\": %.3f, \"largest_margin\": %.4f, "
             "\"mean_difference\": %.6f}\n"
           : "steps %zu, another best token in %zu (%.2f %%), largest margin there %.4f, "
             "mean |difference| of log-probability %.6f\n";
  std::printf(format, agreement.steps, agreement.otherBest, share, agreement.largestMargin, agreement.meanDifference);
}

Result<void> evaluate(const Options& options) {
  LLCUDA_ASSIGN_OR_RETURN(const auto cases, reference::readOracle(options.oracle));
  const unsigned threads = options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  LLCUDA_ASSIGN_OR_RETURN(const auto model, reference::InterpretedModel::open(options.model, 0, threads));
  LLCUDA_ASSIGN_OR_RETURN(
      const reference::Agreement agreement,
      reference::measureAgreement(cases, [&](auto prompt, auto tokens) { return model.score(prompt, tokens); }));
  print(agreement, options.json);
  return reference::checkAgreement(agreement, reference::kInterpreterBounds);
}

} // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures how closely a model follows recorded answers, token by token");
  app.add_option("model", options.model, "A checkpoint (.gguf), run by the interpreter")->required();
  app.add_option("--oracle", options.oracle, "Recorded answers (JSON)")->required();
  app.add_option("-j,--threads", options.threads, "Threads of the interpreter (default: all)");
  app.add_flag("--json", options.json, "Print the figures as JSON");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(ErrorCode::kUsage);
  }
  if (const Result<void> done = evaluate(options); !done) {
    std::fprintf(stderr, "error: %s\n", done.error().message.c_str());
    return static_cast<int>(done.error().code);
  }
  return 0;
}
