// SPDX-License-Identifier: Apache-2.0
// Guessed tokens against none, on hostsim:
//
//   speculation_agrees [-md DRAFT [--alone]] ENGINE [PROMPT_FILE [TOKENS]]
//
// DRAFT is an engine that guesses beside n-grams, or alone.
// Requests of several samplers are asked one by one without guesses; then with them, one by one and at once with pages
// for some, where others beside them are cancelled. Ends with 4 when a token is another, when no guess was right, or
// when pages are lost. With a prompt: the same of its greedy answer, how many tokens a step makes, and what that is
// worth where steps take what those of an 8B on a T4 do (docs/t4.md), with a draft what its and the engine's own are
// predicted to take.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "runtime/exec/phase_costs.h"
#include "runtime/exec/phase_table.h"
#include "runtime/serving/draft_model.h"
#include "runtime/serving/engine_loop.h"
#include "runtime/text/tokenizer.h"

namespace llcuda {
namespace {

using namespace serving;

constexpr double kMs = 1e6; ///< of a millisecond: beside which the processor's own time does not count

/// Of a step by its rows, in times of a step of one.
class T4Costs final : public StepCosts {
public:
  double decode(const StepRows& step) const override {
    return kMs * (step.rows <= 1 ? 1 : step.rows <= 2 ? 1.03 : step.rows <= 4 ? 1.11 : 1.27);
  }
  double prompt(uint32_t, const StepTails&, const StepRows&) const override { return kMs; }
};

/// Of a draft model of a tenth of the size.
class DraftCosts final : public StepCosts {
public:
  double decode(const StepRows&) const override { return kMs / 10; }
  double prompt(uint32_t, const StepTails&, const StepRows&) const override { return kMs / 10; }
};

/// What the phases of an engine are predicted to take on a T4.
class PredictedCosts final : public StepCosts {
public:
  explicit PredictedCosts(const Engine& engine) : phases(engine), costs(kT4Rates) {}
  double decode(const StepRows& step) const override {
    return kMs / 1e6 * costs.of(*phases.decode()[phases.decodeFor(step.rows)].phase, true, step);
  }
  double prompt(uint32_t phase, const StepTails& tails, const StepRows& step) const override {
    return kMs / 1e6 * costs.of(*phases.prompt()[phase].phase, tails, step);
  }

private:
  PhaseTable phases;
  PhaseCosts costs;
};

/// Who guesses.
struct Guessers {
  bool ngrams = false, draft = false;
  bool any() const { return ngrams || draft; }
};

constexpr uint32_t kSlots = 6, kAnswer = 90;

struct Answers {
  std::map<uint64_t, std::vector<int32_t>> tokens;
  Stats stats;
  double cost = 0; ///< of the decode steps of one request, and of the engine that guesses
};

class Agreement {
public:
  /// `drafting`: an engine that guesses too, or null. `predicts`: by what both are predicted to take.
  Agreement(std::shared_ptr<const Program> own, std::shared_ptr<const Program> drafting, bool predicts)
      : program(std::move(own)), draftProgram(std::move(drafting)), costs(std::make_unique<T4Costs>()),
        draftCosts(std::make_unique<DraftCosts>()) {
    if (!predicts || !draftProgram)
      return;
    costs = std::make_unique<PredictedCosts>(program->engine());
    draftCosts = std::make_unique<PredictedCosts>(draftProgram->engine());
  }

  /// Asks the first `kept` requests, one after another or at once; those behind are cancelled while they generate.
  Result<Answers> ask(const std::vector<RequestOptions>& requests, std::size_t kept, Guessers guessers, bool atOnce,
                      uint64_t cacheBytes) const {
    EventQueue events;
    LLCUDA_RETURN_IF_ERROR(events.open());
    PhaseClock clock(program->device().context);
    Execution execution;
    execution.clock = &clock;
    execution.cacheBytes = cacheBytes;
    const uint32_t context = program->engine().metadata().max_context();
    LLCUDA_ASSIGN_OR_RETURN(const auto session, Session::create(program, context, slots(), execution));
    LoopOptions options;
    options.hostCacheBytes = uint64_t{1} << 30;
    options.speculation.kind = guessers.ngrams ? Speculation::kNgram : Speculation::kNone;
    options.speculation.costs = costs.get();
    std::unique_ptr<DraftModel> draft;
    if (guessers.draft) {
      const fb::Engine& engine = draftProgram->engine().metadata();
      LLCUDA_ASSIGN_OR_RETURN(draft, DraftModel::create(draftProgram, program->engine().model().vocabulary(),
                                                        {.context = std::min(context, engine.max_context()),
                                                         .slots = std::min(slots(), engine.max_batch()),
                                                         .costs = draftCosts.get()}));
      options.draft = draft.get();
    }
    EngineLoop loop(*session, clock, {}, options, events);
    const uint32_t freePages = loop.stats().freePages;
    Answers answers;
    uint64_t submitted = 0, steps = 0;
    while (submitted < requests.size() || !loop.isIdle()) {
      for (; submitted < requests.size() && (atOnce || loop.isIdle()); ++submitted)
        LLCUDA_RETURN_IF_ERROR(loop.submit(submitted, requests[submitted], std::chrono::steady_clock::now()));
      const Stats before = loop.stats();
      LLCUDA_RETURN_IF_ERROR(loop.step());
      const Stats after = loop.stats();
      if (after.rows != before.rows) {
        const auto count = static_cast<uint32_t>(after.rows - before.rows + after.draftTokens - before.draftTokens);
        answers.cost += costs->decode({count, count, count * (after.promptTokens + after.generatedTokens)});
      }
      if (++steps == 30)
        for (uint64_t id = kept; id < submitted; ++id) LLCUDA_RETURN_IF_ERROR(loop.cancel(id));
      loop.sayEnded();
      for (const Event& event : events.take(SIZE_MAX, std::chrono::milliseconds(0))) {
        if (event.kind == EventKind::kFailed && event.error.code != ErrorCode::kCancelled)
          return event.error;
        if (event.kind == EventKind::kToken && event.token >= 0)
          answers.tokens[event.request].push_back(event.token);
      }
    }
    answers.stats = loop.stats();
    answers.cost += static_cast<double>(answers.stats.draftNs) / 1e6;
    if (answers.stats.freePages + answers.stats.cachedPages != freePages)
      return makeError(ErrorCode::kSelfCheckFailed, "pages are lost");
    return answers;
  }

  uint32_t slots() const { return std::min(kSlots, program->engine().metadata().max_batch()); }
  /// Pages of two whole sequences and a half.
  uint64_t fewBytes() const {
    return memoryPlan(program->engine(), program->engine().metadata().max_context(), 1).kv * 5 / 2;
  }

private:
  std::shared_ptr<const Program> program, draftProgram;
  std::unique_ptr<StepCosts> costs, draftCosts;
};

Sampler samplerOf(int kind) {
  Sampler sampler;
  SamplerProgram& program = sampler.program;
  program = {.minKeep = 1, .repeat = 1, .dynatempExponent = 1};
  sampler.seed = 77;
  const auto add = [&](SamplerOp op, float a, uint32_t n) { program.stages[program.stageCount++] = {op, a, 0, n}; };
  switch (kind) {
  case 0: // the plain logits
    program.takesBest = 1;
    break;
  case 1: // what looks back
    program.takesBest = program.usesPast = 1;
    program.repeat = 1.05f;
    program.penaltyTokens = 40;
    add(SamplerOp::kPenalties, 0, 0);
    break;
  case 2: // drawn, of few
    add(SamplerOp::kTopK, 0, 2);
    add(SamplerOp::kTemperature, 0.3f, 0);
    break;
  default: // drawn, and looks back
    program.usesPast = 1;
    program.presence = 0.2f;
    program.penaltyTokens = 20;
    add(SamplerOp::kPenalties, 0, 0);
    add(SamplerOp::kTopK, 0, 3);
    add(SamplerOp::kTemperature, 0.2f, 0);
    break;
  }
  return sampler;
}

/// Prompts that repeat themselves.
std::vector<RequestOptions> requestsFor(const Engine& engine, uint32_t count) {
  const uint32_t vocabulary = engine.model().vocabulary();
  std::vector<RequestOptions> requests(count);
  for (uint32_t i = 0; i < count; ++i) {
    for (uint32_t t = 0; t < 50 + 3 * i; ++t)
      requests[i].tokens.push_back(static_cast<int32_t>((17 * (t % (7 + i)) + 5 * i + 3) % vocabulary));
    requests[i].maxTokens = kAnswer;
    requests[i].ignoreStop = true;
    requests[i].sampler = samplerOf(static_cast<int>(i) % 4);
    requests[i].sampling = requests[i].sampler.params();
    requests[i].logprobs = i == 2 ? 1 : -1;
  }
  return requests;
}

uint32_t differing(const Answers& a, const Answers& b, std::size_t count) {
  uint32_t other = 0;
  for (uint64_t id = 0; id < count; ++id)
    other += a.tokens.contains(id) && b.tokens.contains(id) && a.tokens.at(id) == b.tokens.at(id) ? 0 : 1;
  return other;
}

Result<void> compareAll(const Agreement& agreement, const Engine& engine, Guessers guessers) {
  constexpr uint32_t kKept = 6;
  const std::vector<RequestOptions> requests = requestsFor(engine, 9);
  const std::vector<RequestOptions> kept(requests.begin(), requests.begin() + kKept);
  LLCUDA_ASSIGN_OR_RETURN(const Answers plain, agreement.ask(kept, kKept, {}, false, UINT64_MAX));
  LLCUDA_ASSIGN_OR_RETURN(const Answers alone, agreement.ask(kept, kKept, guessers, false, UINT64_MAX));
  LLCUDA_ASSIGN_OR_RETURN(const Answers together, agreement.ask(requests, kKept, guessers, true, agreement.fewBytes()));
  const uint32_t other = differing(plain, alone, kKept) + differing(plain, together, kKept);
  for (const auto& [name, answers] : {std::pair("one by one", &alone), std::pair("at once", &together)})
    std::printf("%s: %u of %u tokens guessed right, %u pauses\n", name,
                static_cast<unsigned>(answers->stats.acceptedDraftTokens),
                static_cast<unsigned>(answers->stats.draftTokens), static_cast<unsigned>(answers->stats.pauses));
  std::printf("%u answers: %u other than without guesses\n", 2 * kKept, other);
  if (other != 0 || alone.stats.acceptedDraftTokens == 0)
    return makeError(ErrorCode::kSelfCheckFailed, other, " answers are others");
  return {};
}

Result<void> measure(const Agreement& agreement, const Engine& engine, Guessers guessers, const std::string& path,
                     int64_t tokens) {
  std::ifstream file(path, std::ios::binary);
  const std::string prompt{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  LLCUDA_ASSIGN_OR_RETURN(const text::TextConfig config, text::parseTextConfig(engine.textConfig()));
  LLCUDA_ASSIGN_OR_RETURN(const auto tokenizer, text::Tokenizer::open(engine.tokenizerJson(), config));
  RequestOptions request;
  LLCUDA_ASSIGN_OR_RETURN(request.tokens, tokenizer.encodeChat(prompt));
  request.maxTokens = tokens;
  request.sampler = samplerOf(0);
  LLCUDA_ASSIGN_OR_RETURN(const Answers plain, agreement.ask({request}, 1, {}, false, UINT64_MAX));
  LLCUDA_ASSIGN_OR_RETURN(const Answers guessed, agreement.ask({request}, 1, guessers, false, UINT64_MAX));
  const auto count = static_cast<double>(plain.stats.generatedTokens - 1); // the prompt's run makes the first
  std::printf("%zu tokens of prompt, %.0f behind the first: %u of %u guessed right, %u other\n", request.tokens.size(),
              count, static_cast<unsigned>(guessed.stats.acceptedDraftTokens),
              static_cast<unsigned>(guessed.stats.draftTokens), differing(plain, guessed, 1));
  std::printf("%.2f tokens a step, %.2f times as fast by a T4's steps\n",
              count / (count - static_cast<double>(guessed.stats.acceptedDraftTokens)), plain.cost / guessed.cost);
  if (differing(plain, guessed, 1) != 0)
    return makeError(ErrorCode::kSelfCheckFailed, "another text");
  return {};
}

Result<std::shared_ptr<const Program>> load(const std::string& path) {
  LLCUDA_ASSIGN_OR_RETURN(Engine opened, Engine::open(path));
  const auto engine = std::make_shared<const Engine>(std::move(opened));
  LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openDevice(*engine, DeviceChoice::kHost, 0, {}));
  return Program::load(engine, std::move(device), false, "");
}

Result<void> run(const std::string& draft, Guessers guessers, std::span<const std::string> arguments) {
  LLCUDA_ASSIGN_OR_RETURN(const auto program, load(arguments[0]));
  std::shared_ptr<const Program> drafting;
  if (guessers.draft) {
    LLCUDA_ASSIGN_OR_RETURN(drafting, load(draft));
  }
  const Agreement agreement(program, std::move(drafting), arguments.size() != 1);
  return arguments.size() == 1 ? compareAll(agreement, program->engine(), guessers)
                               : measure(agreement, program->engine(), guessers, arguments[1],
                                         arguments.size() == 3 ? std::stoll(arguments[2]) : 200);
}

} // namespace
} // namespace llcuda

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::string draft;
  llcuda::Guessers guessers = {.ngrams = true};
  if (arguments.size() > 1 && arguments[0] == "-md") {
    draft = arguments[1];
    guessers.draft = true;
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  if (!arguments.empty() && arguments[0] == "--alone") {
    guessers.ngrams = false;
    arguments.erase(arguments.begin());
  }
  if (arguments.empty() || arguments.size() > 3 || !guessers.any()) {
    std::fprintf(stderr, "usage: speculation_agrees [-md DRAFT [--alone]] ENGINE [PROMPT_FILE [TOKENS]]\n");
    return 1;
  }
  const auto result = llcuda::run(draft, guessers, arguments);
  if (result)
    return 0;
  std::fprintf(stderr, "speculation_agrees: %s\n", result.error().message.c_str());
  return static_cast<int>(result.error().code);
}
