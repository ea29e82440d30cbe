// SPDX-License-Identifier: Apache-2.0
// llcuda-eval: how closely an engine, or the interpreter over a checkpoint, follows recorded answers.
#include <cstdio>
#include <string>
#include <thread>

#include "compiler/reference/interpreted_model.h"
#include "runtime/base/clean_end.h"
#include "runtime/base/version.h"
#include "tools/llcuda-eval/checkpoint.h"
#include "tools/llcuda-eval/compare.h"
#include "tools/llcuda-eval/engine_scores.h"
#include "tools/model-options/model_options.h"
#include "tools/tool-options/command_line.h"

namespace llcuda::tools {
namespace {

/// Int8 activations stay below this on every layer of a model of 30; a wrong weight does not.
constexpr double kCompareTolerance = 1e-2;

struct Options {
  std::string model;
  std::string oracle, logits, other;
  std::vector<int32_t> tokens;
  models::OpenOptions open; ///< of a checkpoint
  double tolerance = kCompareTolerance;
  api::SessionOptions session;
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  bool json = false;
};

void print(const reference::Agreement& agreement, bool json) {
  const double share = 100.0 * static_cast<double>(agreement.otherBest) / static_cast<double>(agreement.steps);
  const char* format = json ? "{\"steps\": %zu, \"other_best\": %zu, \"other_best_percent\": %.3f, "
                              "\"largest_margin\": %.4f, \"mean_difference\": %.6f}\n"
                            : "steps %zu, another best token in %zu (%.2f %%), largest margin there %.4f, "
                              "mean |difference| of log-probability %.6f\n";
  std::printf(format, agreement.steps, agreement.otherBest, share, agreement.largestMargin, agreement.meanDifference);
}

/// What the model is measured by: answers or logits.
struct Recording {
  std::vector<reference::OracleCase> answers;
  reference::LogitsRecording logits;
};

Result<Recording> readRecording(const Options& options) {
  Recording recording;
  if (options.logits.empty()) {
    LLCUDA_ASSIGN_OR_RETURN(recording.answers, reference::readOracle(options.oracle));
  } else {
    LLCUDA_ASSIGN_OR_RETURN(recording.logits, reference::readLogits(options.logits));
  }
  return recording;
}

Result<void> evaluate(const Options& options, const std::vector<reference::OracleCase>& cases,
                      const reference::ScoreCase& score, const reference::AgreementBounds& bounds) {
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

Result<void> evaluateLogits(const Options& options, const reference::LogitsRecording& recording,
                            const reference::InterpretedModel& model) {
  LLCUDA_ASSIGN_OR_RETURN(auto rows, interpretedLogits(model, recording));
  return evaluateLogits(options, recording, {std::move(rows)}, reference::kInterpreterLogits);
}

Result<void> evaluateLogits(const Options& options, const reference::LogitsRecording& recording, EngineScores& engine) {
  LLCUDA_ASSIGN_OR_RETURN(auto prompt, engine.promptLogits(recording.tokens, recording.positions));
  LLCUDA_ASSIGN_OR_RETURN(auto steps, engine.stepLogits(recording.tokens, recording.positions));
  return evaluateLogits(options, recording, {std::move(prompt), std::move(steps)},
                        reference::engineLogits(engine.columns()));
}

Result<void> evaluate(const Options& options) {
  models::OpenOptions open = options.open;
  open.threads = options.threads;
  if (!options.other.empty())
    return compare(
        {options.model, options.other, options.tokens, open, options.tolerance, options.json, options.session});
  LLCUDA_ASSIGN_OR_RETURN(const Recording recording, readRecording(options)); // before the model, which takes longer
  if (isCheckpoint(options.model)) {
    LLCUDA_ASSIGN_OR_RETURN(auto opened, models::openModel(options.model, open));
    models::ImportOptions import = reference::InterpretedModel::kExact;
    import.maxContext = options.session.context;
    LLCUDA_ASSIGN_OR_RETURN(
        const auto model, reference::InterpretedModel::create(
                              std::make_shared<const models::OpenedModel>(std::move(opened)), import, options.threads));
    if (!options.logits.empty())
      return evaluateLogits(options, recording.logits, model);
    return evaluate(
        options, recording.answers, [&](auto prompt, auto tokens) { return model.score(prompt, tokens); },
        reference::kInterpreterBounds);
  }
  LLCUDA_ASSIGN_OR_RETURN(EngineScores engine, EngineScores::open(options.model, options.session));
  if (!options.logits.empty())
    return evaluateLogits(options, recording.logits, engine);
  return evaluate(
      options, recording.answers, [&](auto prompt, auto tokens) { return engine.score(prompt, tokens); },
      reference::kEngineBounds);
}

/// A flag that was given and that only an engine can heed, where there is none.
const char* optionWithoutEffect(const CLI::App& app, const Options& options) {
  if (!isCheckpoint(options.model) || (!options.other.empty() && !isCheckpoint(options.other)))
    return nullptr;
  for (const char* flag : {"--device", "--main-gpu", "--weights-from"})
    if (app.count(flag) != 0)
      return flag;
  return nullptr;
}

} // namespace
} // namespace llcuda::tools

int main(int argc, char** argv) {
  using namespace llcuda;
  endCleanly("llcuda-eval");
  tools::Options options;
  CLI::App app("Measures how closely a model follows recorded answers token by token, or another model layer by layer. "
               "Ends with 4 when it misses the bounds.",
               "llcuda-eval");
  tools::addModelArgument(app, options.model,
                          std::string("An engine, or a model, which the interpreter runs: ") + tools::kModelKinds);
  auto* task = app.add_option_group("task");
  task->add_option("--oracle", options.oracle, "Recorded answers (JSON)");
  task->add_option("--logits", options.logits, "Recorded logits (JSON), of the prompt path and of single tokens");
  auto* other =
      task->add_option("--compare", options.other, "An engine or a model: name the first layer whose values differ");
  task->require_option(1);
  app.add_option("--tokens", options.tokens,
                 "With --compare: the token ids to run (default: those that the engine records)")
      ->delimiter(',')
      ->needs(other);
  app.add_option("--tolerance", options.tolerance, "With --compare: the normalised mean squared error that is allowed")
      ->needs(other)
      ->capture_default_str();
  tools::addModelOptions(app, options.open);
  tools::addContextOption(
      app, options.session.context,
      "Positions of the context, for which longrope takes its factors (default, and 0: as many as the "
      "engine or the model allows)");
  tools::addDeviceOptions(app, options.session.device, options.session.deviceIndex);
  app.add_option("-j,--threads", options.threads, "Threads of the interpreter (default: all)")
      ->check(CLI::Range(1, 1024));
  app.add_flag("--json", options.json, "Print the figures as JSON");
  tools::addWeightsFromOption(app, options.session.weightsFrom);
  app.set_version_flag("--version", std::string("llcuda-eval ") + kVersion);
  if (const std::optional<int> code = tools::parseCommandLine(app, argc, argv))
    return *code;
  if (const char* flag = tools::optionWithoutEffect(app, options))
    return tools::wrongUse(app, std::string(flag) + " is for engines, and no engine is given");
  if (const Result<void> done = tools::evaluate(options); !done) {
    std::fprintf(stderr, "llcuda-eval: %s\n", done.error().message.c_str());
    return static_cast<int>(done.error().code);
  }
  return 0;
}
