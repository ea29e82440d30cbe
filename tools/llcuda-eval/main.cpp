// SPDX-License-Identifier: Apache-2.0
// llcuda-eval: how closely an engine, or the interpreter over a checkpoint, follows recorded answers.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>

#include "compiler/reference/interpreted_model.h"
#include "runtime/base/version.h"
#include "tools/llcuda-eval/engine_scores.h"
#include "tools/model-options/model_options.h"

namespace llcuda::tools {
namespace {

struct Options {
  std::string model;
  std::string oracle;
  std::string logits;
  models::OpenOptions open; ///< of a checkpoint
  llcuda_device device = LLCUDA_DEVICE_AUTO;
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  bool json = false;
};

bool isCheckpoint(const std::string& path) {
  if (std::filesystem::is_directory(path))
    return true;
  char magic[4] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof(magic));
  return std::string_view(magic, sizeof(magic)) == "GGUF";
}

void print(const reference::Agreement& agreement, bool json) {
  const double share = 100.0 * static_cast<double>(agreement.otherBest) / static_cast<double>(agreement.steps);
  const char* format = json ? "{\"steps\": %zu, \"other_best\": %zu, \"other_best_percent\": %.3f, "
                              "\"largest_margin\": %.4f, \"mean_difference\": %.6f}\n"
                            : "steps %zu, another best token in %zu (%.2f %%), largest margin there %.4f, "
                              "mean |difference| of log-probability %.6f\n";
  std::printf(format, agreement.steps, agreement.otherBest, share, agreement.largestMargin, agreement.meanDifference);
}

Result<void> evaluate(const Options& options, const reference::ScoreCase& score,
                      const reference::AgreementBounds& bounds) {
  LLCUDA_ASSIGN_OR_RETURN(const auto cases, reference::readOracle(options.oracle));
  LLCUDA_ASSIGN_OR_RETURN(const reference::Agreement agreement, reference::measureAgreement(cases, score));
  print(agreement, options.json);
  return reference::checkAgreement(agreement, bounds);
}

void print(const reference::LogitsAgreement& agreement, bool json) {
  std::printf(json ? "{\"squared_error\": %.3g, \"path_difference\": %.3g}\n"
                   : "normalised squared error of the logits %.3g, prompt and single tokens differ by %.3g\n",
              agreement.squaredError, agreement.pathDifference);
}

Result<reference::LogitsRows> interpretedLogits(const reference::InterpretedModel& model,
                                                const reference::LogitsRecording& recording) {
  LLCUDA_ASSIGN_OR_RETURN(const reference::Matrix logits, model.logits(recording.tokens));
  reference::LogitsRows rows;
  for (const size_t position : recording.positions)
    rows.emplace_back(logits.row(position), logits.row(position) + logits.cols);
  return rows;
}

Result<void> evaluateLogits(const Options& options, const reference::LogitsRecording& recording,
                            const std::vector<reference::LogitsRows>& ways, const reference::LogitsBounds& bounds) {
  LLCUDA_ASSIGN_OR_RETURN(const auto agreement, reference::compareLogits(recording, ways));
  print(agreement, options.json);
  return reference::checkLogits(agreement, bounds);
}

Result<void> evaluateLogits(const Options& options, const reference::InterpretedModel& model) {
  LLCUDA_ASSIGN_OR_RETURN(const auto recording, reference::readLogits(options.logits));
  LLCUDA_ASSIGN_OR_RETURN(auto rows, interpretedLogits(model, recording));
  return evaluateLogits(options, recording, {std::move(rows)}, reference::kInterpreterLogits);
}

Result<void> evaluateLogits(const Options& options, EngineScores& engine) {
  LLCUDA_ASSIGN_OR_RETURN(const auto recording, reference::readLogits(options.logits));
  LLCUDA_ASSIGN_OR_RETURN(auto prompt, engine.promptLogits(recording.tokens, recording.positions));
  LLCUDA_ASSIGN_OR_RETURN(auto steps, engine.stepLogits(recording.tokens, recording.positions));
  return evaluateLogits(options, recording, {std::move(prompt), std::move(steps)}, reference::kEngineLogits);
}

Result<void> evaluate(const Options& options) {
  if (isCheckpoint(options.model)) {
    models::OpenOptions open = options.open;
    open.threads = options.threads;
    LLCUDA_ASSIGN_OR_RETURN(auto opened, models::openModel(options.model, open));
    LLCUDA_ASSIGN_OR_RETURN(const auto model,
                            reference::InterpretedModel::create(
                                std::make_shared<const models::OpenedModel>(std::move(opened)), 0, options.threads));
    if (!options.logits.empty())
      return evaluateLogits(options, model);
    return evaluate(
        options, [&](auto prompt, auto tokens) { return model.score(prompt, tokens); }, reference::kInterpreterBounds);
  }
  LLCUDA_ASSIGN_OR_RETURN(EngineScores engine, EngineScores::open(options.model, options.device));
  if (!options.logits.empty())
    return evaluateLogits(options, engine);
  return evaluate(
      options, [&](auto prompt, auto tokens) { return engine.score(prompt, tokens); }, reference::kEngineBounds);
}

} // namespace
} // namespace llcuda::tools

int main(int argc, char** argv) {
  using namespace llcuda;
  tools::Options options;
  CLI::App app("Measures how closely a model follows recorded answers, token by token. Ends with 4 when it misses the "
               "bounds of an engine, or of the interpreter for a checkpoint.");
  app.add_option("model", options.model, "An engine, or a checkpoint (.gguf), which the interpreter runs")->required();
  auto* recordings = app.add_option_group("recordings");
  recordings->add_option("--oracle", options.oracle, "Recorded answers (JSON)");
  recordings->add_option("--logits", options.logits, "Recorded logits (JSON), of the prompt path and of single tokens");
  recordings->require_option(1);
  tools::addModelOptions(app, options.open);
  app.add_option("--device", options.device, "auto, cuda or host")
      ->transform(CLI::CheckedTransformer(std::map<std::string, llcuda_device>{
          {"auto", LLCUDA_DEVICE_AUTO}, {"cuda", LLCUDA_DEVICE_CUDA}, {"host", LLCUDA_DEVICE_HOST}}));
  app.add_option("-j,--threads", options.threads, "Threads of the interpreter (default: all)")
      ->check(CLI::Range(1, 1024));
  app.add_flag("--json", options.json, "Print the figures as JSON");
  app.set_version_flag("--version", std::string("llcuda-eval ") + kVersion);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ErrorCode::kUsage);
  }
  if (const Result<void> done = tools::evaluate(options); !done) {
    std::fprintf(stderr, "llcuda-eval: %s\n", done.error().message.c_str());
    return static_cast<int>(done.error().code);
  }
  return 0;
}
