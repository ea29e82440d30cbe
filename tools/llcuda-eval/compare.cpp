// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-eval/compare.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <memory>

#include <nlohmann/json.hpp>

#include "compiler/reference/interpreted_model.h"
#include "runtime/exec/residual_taps.h"
#include "runtime/exec/session.h"
#include "tools/llcuda-eval/checkpoint.h"

namespace llcuda::tools {
namespace {

constexpr size_t kDefaultTokens = 16;

/// An engine or a checkpoint, opened.
struct Subject {
  std::string path;
  std::shared_ptr<const Engine> engine; ///< null for a checkpoint
  std::optional<reference::InterpretedModel> model;

  uint32_t vocabulary() const { return engine ? engine->model().vocabulary() : model->config().vocabulary; }
  uint32_t layers() const {
    return engine ? engine->model().layers() : static_cast<uint32_t>(model->config().layers.size());
  }
};

/// Positions of the interpreter: those of the engine that a model is compared with, so that longrope takes the same
/// factors; 0: as many as the model was trained for.
uint32_t contextOf(const CompareOptions& options) {
  if (options.session.context != 0)
    return options.session.context;
  for (const std::string& path : {options.model, options.other})
    if (!isCheckpoint(path))
      if (const Result<Engine> engine = Engine::open(path))
        return engine->metadata().max_context();
  return 0;
}

Result<Subject> openSubject(const std::string& path, const CompareOptions& options) {
  Subject subject;
  subject.path = path;
  if (isCheckpoint(path)) {
    LLCUDA_ASSIGN_OR_RETURN(auto opened, models::openModel(path, options.open));
    models::ImportOptions import = reference::InterpretedModel::kExact;
    import.maxContext = contextOf(options);
    LLCUDA_ASSIGN_OR_RETURN(subject.model, reference::InterpretedModel::create(
                                               std::make_shared<const models::OpenedModel>(std::move(opened)), import,
                                               options.open.threads));
    return subject;
  }
  LLCUDA_ASSIGN_OR_RETURN(Engine engine, Engine::open(path));
  subject.engine = std::make_shared<const Engine>(std::move(engine));
  return subject;
}

std::vector<int32_t> tokensFor(const Subject& a, const Subject& b) {
  for (const Subject* subject : {&a, &b})
    if (subject->engine && subject->engine->metadata().golden()) {
      const auto& tokens = *subject->engine->metadata().golden()->tokens();
      return {tokens.begin(), tokens.end()};
    }
  std::vector<int32_t> tokens;
  for (size_t i = 0; i < kDefaultTokens; ++i)
    tokens.push_back(static_cast<int32_t>((i * 7919 + 1) % std::min(a.vocabulary(), b.vocabulary())));
  return tokens;
}

Result<LayerValues> engineValues(const Subject& subject, const CompareOptions& options,
                                 std::span<const int32_t> tokens) {
  const auto log = [](LogLevel, std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  };
  const Engine& engine = *subject.engine;
  const auto count = static_cast<uint32_t>(tokens.size());
  if (count > engine.metadata().max_context())
    return usageError(count, " tokens are more than the context of ", engine.path(), ", ",
                      engine.metadata().max_context());
  LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openDevice(engine, static_cast<DeviceChoice>(options.session.device),
                                                          options.session.deviceIndex, log));
  LLCUDA_ASSIGN_OR_RETURN(const cuda::MemoryInfo memory, device.context->memoryInfo());
  LLCUDA_RETURN_IF_ERROR(checkMemory(engine, memoryPlan(engine, count, 1), 1, memory.freeBytes, true));
  LLCUDA_ASSIGN_OR_RETURN(auto program,
                          Program::load(subject.engine, std::move(device), false, options.session.weightsFrom));
  ResidualTaps taps;
  LLCUDA_ASSIGN_OR_RETURN(const auto session, Session::create(std::move(program), count, 1, {.observer = &taps}));
  const std::atomic<bool> cancelled = false;
  const SamplingParams greedy = {};
  LLCUDA_RETURN_IF_ERROR(session->prompt(0, 0, tokens, &greedy, true, cancelled));
  LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session->take());

  LayerValues values;
  for (const std::vector<float>& layer : taps.layers()) {
    values.layers.emplace_back(tokens.size(), engine.model().embedding());
    values.layers.back().values = layer;
  }
  values.logits = reference::Matrix(1, output.logits.size());
  values.logits.values.assign(output.logits.begin(), output.logits.end());
  return values;
}

Result<LayerValues> valuesOf(const Subject& subject, const CompareOptions& options, std::span<const int32_t> tokens) {
  if (subject.engine)
    return engineValues(subject, options, tokens);
  LayerValues values;
  LLCUDA_ASSIGN_OR_RETURN(values.layers, subject.model->residuals(tokens, values.logits));
  return values;
}

/// The layer's number, or "logits".
std::string nameOf(size_t index, size_t layers) {
  return index < layers ? "layer " + std::to_string(index) : "logits";
}

/// Before what the caller says on stderr.
void print(const std::vector<Difference>& differences, std::optional<size_t> first, bool json) {
  const size_t layers = differences.size() - 1;
  if (!json) {
    for (size_t i = 0; i < differences.size(); ++i)
      std::printf("%-10s NMSE %.3e  largest difference %.3e%s\n", nameOf(i, layers).c_str(), differences[i].nmse,
                  differences[i].largest, first == i ? "  <- first above the tolerance" : "");
    std::fflush(stdout);
    return;
  }
  nlohmann::ordered_json object = {{"layers", nlohmann::ordered_json::array()}};
  for (size_t i = 0; i < layers; ++i)
    object["layers"].push_back({{"nmse", differences[i].nmse}, {"largest", differences[i].largest}});
  object["logits"] = {{"nmse", differences[layers].nmse}, {"largest", differences[layers].largest}};
  object["first"] = first ? nlohmann::ordered_json(nameOf(*first, layers)) : nlohmann::ordered_json();
  std::printf("%s\n", object.dump(1).c_str());
  std::fflush(stdout);
}

} // namespace

Difference differenceOf(const reference::Matrix& values, const reference::Matrix& others) {
  Difference difference;
  double squares = 0, otherSquares = 0;
  for (size_t i = 0; i < values.values.size(); ++i) {
    const double apart = static_cast<double>(values.values[i]) - others.values[i];
    squares += apart * apart;
    otherSquares += static_cast<double>(others.values[i]) * others.values[i];
    // A value that is no number counts as infinitely far away.
    difference.largest = std::isnan(apart) ? INFINITY : std::max(difference.largest, std::abs(apart));
  }
  difference.nmse = squares == 0 ? 0 : squares / otherSquares;
  return difference;
}

Result<void> compare(const CompareOptions& options) {
  LLCUDA_ASSIGN_OR_RETURN(const Subject model, openSubject(options.model, options));
  LLCUDA_ASSIGN_OR_RETURN(const Subject other, openSubject(options.other, options));
  if (model.vocabulary() != other.vocabulary())
    return usageError(model.path, " has a vocabulary of ", model.vocabulary(), ", ", other.path, " of ",
                      other.vocabulary(), ": these are different models");
  const std::vector<int32_t> tokens = options.tokens.empty() ? tokensFor(model, other) : options.tokens;
  for (const int32_t token : tokens)
    if (token < 0 || static_cast<uint32_t>(token) >= model.vocabulary())
      return usageError("token ", token, " is not in the vocabulary of ", model.vocabulary());
  if (model.layers() != other.layers())
    return usageError(model.path, " has ", model.layers(), " layers, ", other.path, " has ", other.layers(),
                      ": these are different models");
  LLCUDA_ASSIGN_OR_RETURN(LayerValues values, valuesOf(model, options, tokens));
  LLCUDA_ASSIGN_OR_RETURN(LayerValues others, valuesOf(other, options, tokens));
  const size_t layers = std::min(values.layers.size(), others.layers.size());
  values.layers.resize(layers);
  others.layers.resize(layers);

  values.layers.push_back(std::move(values.logits));
  others.layers.push_back(std::move(others.logits));
  std::vector<Difference> differences;
  std::optional<size_t> first;
  for (size_t i = 0; i < values.layers.size(); ++i) {
    if (values.layers[i].values.size() != others.layers[i].values.size())
      return usageError("the two models differ in width: ", values.layers[i].values.size(), " and ",
                        others.layers[i].values.size(), " values after ", nameOf(i, values.layers.size() - 1));
    differences.push_back(differenceOf(values.layers[i], others.layers[i]));
    if (!first && !(differences.back().nmse <= options.tolerance))
      first = i;
  }
  print(differences, first, options.json);
  if (first)
    return makeError(ErrorCode::kSelfCheckFailed, nameOf(*first, differences.size() - 1),
                     " is the first whose values differ: NMSE ", differences[*first].nmse, ", allowed is ",
                     options.tolerance);
  return {};
}

} // namespace llcuda::tools
