// SPDX-License-Identifier: Apache-2.0
// Short prompts of an engine against the same tokens otherwise, on hostsim:
//
//   short_prompts ENGINE TOLERANCE
//
// Prompts of 1 to 8 tokens, at the beginning and behind others, give the logits of steps that read them one by one, to
// the bit, and within TOLERANCE those of the prompt phase of 32 rows; so do two that share a run, and, up to the batch
// of the engine, their tokens as rows of one decode step. Ends with 4 when they do not.
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "runtime/exec/session.h"

namespace llcuda {
namespace {

constexpr uint32_t kFewRows = 8, kManyRows = 32;
const SamplingParams kGreedy = {};

using Logits = std::vector<float>;

Result<uint32_t> phaseOf(const Session& session, uint32_t rows) {
  for (uint32_t i = 0; i < session.promptShapes().size(); ++i)
    if (session.promptShapes()[i].rows == rows)
      return i;
  return usageError("there is no prompt phase of ", rows, " rows");
}

class ShortPrompts {
public:
  ShortPrompts(Session& session, uint32_t few, uint32_t many, uint32_t vocabulary)
      : session(session), few(few), many(many), vocabulary(vocabulary) {}

  Result<void> compare(uint32_t before, uint32_t count) {
    const std::vector<int32_t> first = tokensFrom(11, before), tokens = tokensFrom(57, count);
    LLCUDA_ASSIGN_OR_RETURN(const Logits stepped, bySteps(first, tokens));
    LLCUDA_ASSIGN_OR_RETURN(const Logits shortly, byPrompt(few, first, tokens));
    LLCUDA_ASSIGN_OR_RETURN(const Logits widely, byPrompt(many, first, tokens));
    others += shortly != stepped;
    if (count <= session.rows().size()) {
      LLCUDA_ASSIGN_OR_RETURN(const Logits together, byRows(first, tokens));
      others += together != stepped;
    }
    for (uint32_t v = 0; v < vocabulary; ++v) {
      const float difference = std::abs(shortly[v] - widely[v]);
      largest = difference <= largest ? largest : difference; // a NaN stays
    }
    ++compared;
    return {};
  }

  /// Two sequences in one run, each beside what it says alone.
  Result<void> compareTwo() {
    const std::vector<int32_t> tokens[] = {tokensFrom(5, 3), tokensFrom(91, 4)};
    std::vector<PromptPart> parts;
    for (uint32_t slot = 0; slot < 2; ++slot) {
      session.truncate(slot, 0);
      parts.push_back({slot, 0, tokens[slot], &kGreedy});
    }
    LLCUDA_RETURN_IF_ERROR(session.runPrompts(few, parts, true));
    LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session.take());
    const Logits together(output.logits.begin(), output.logits.end());
    for (uint32_t slot = 0; slot < 2; ++slot) {
      LLCUDA_ASSIGN_OR_RETURN(const Logits alone, byPrompt(few, {}, tokens[slot]));
      others += !std::equal(alone.begin(), alone.end(), together.begin() + std::ptrdiff_t{slot} * vocabulary);
      ++compared;
    }
    return {};
  }

  uint32_t compared = 0, others = 0;
  float largest = 0;

private:
  std::vector<int32_t> tokensFrom(uint32_t seed, uint32_t count) const {
    std::vector<int32_t> tokens(count);
    for (uint32_t i = 0; i < count; ++i) tokens[i] = static_cast<int32_t>((seed * 131 + i * 17 + 3) % vocabulary);
    return tokens;
  }

  Result<void> begin(std::span<const int32_t> first) {
    const std::atomic<bool> cancelled = false;
    session.truncate(0, 0);
    return first.empty() ? Result<void>() : session.prompt(0, 0, first, nullptr, false, cancelled);
  }

  Result<Logits> byPrompt(uint32_t phase, std::span<const int32_t> first, std::span<const int32_t> tokens) {
    LLCUDA_RETURN_IF_ERROR(begin(first));
    const PromptPart part = {0, static_cast<uint32_t>(first.size()), tokens, &kGreedy};
    LLCUDA_RETURN_IF_ERROR(session.runPrompts(phase, {&part, 1}, true));
    LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session.take());
    return Logits(output.logits.begin(), output.logits.end());
  }

  Result<Logits> bySteps(std::span<const int32_t> first, std::span<const int32_t> tokens) {
    LLCUDA_RETURN_IF_ERROR(begin(first));
    Logits last;
    for (uint32_t i = 0; i < tokens.size(); ++i) {
      const DecodeRow row = {0, tokens[i], static_cast<uint32_t>(first.size()) + i, kGreedy};
      LLCUDA_RETURN_IF_ERROR(session.startDecode({&row, 1}));
      LLCUDA_RETURN_IF_ERROR(session.queueStep(true));
      LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session.take());
      last.assign(output.logits.begin(), output.logits.end());
    }
    return last;
  }

  Result<Logits> byRows(std::span<const int32_t> first, std::span<const int32_t> tokens) {
    LLCUDA_RETURN_IF_ERROR(begin(first));
    std::vector<DecodeRow> rows;
    for (uint32_t i = 0; i < tokens.size(); ++i)
      rows.push_back({0, tokens[i], static_cast<uint32_t>(first.size()) + i, kGreedy});
    LLCUDA_RETURN_IF_ERROR(session.startDecode(rows));
    LLCUDA_RETURN_IF_ERROR(session.queueStep(true));
    LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session.take());
    return Logits(output.logits.end() - vocabulary, output.logits.end());
  }

  Session& session;
  const uint32_t few, many, vocabulary;
};

Result<void> run(const std::string& path, float tolerance) {
  LLCUDA_ASSIGN_OR_RETURN(Engine opened, Engine::open(path));
  const auto engine = std::make_shared<const Engine>(std::move(opened));
  LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openDevice(*engine, DeviceChoice::kHost, 0, {}));
  LLCUDA_ASSIGN_OR_RETURN(auto program, Program::load(engine, std::move(device), false, ""));
  const uint32_t slots = std::min(2u, engine->metadata().max_batch());
  LLCUDA_ASSIGN_OR_RETURN(const auto session,
                          Session::create(std::move(program), engine->metadata().max_context(), slots));
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t few, phaseOf(*session, kFewRows));
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t many, phaseOf(*session, kManyRows));
  ShortPrompts prompts(*session, few, many, engine->model().vocabulary());
  for (uint32_t count = 1; count <= kFewRows; ++count) {
    LLCUDA_RETURN_IF_ERROR(prompts.compare(0, count));
    LLCUDA_RETURN_IF_ERROR(prompts.compare(engine->metadata().page_tokens() - 3, count)); // into the next page
  }
  if (slots == 2)
    LLCUDA_RETURN_IF_ERROR(prompts.compareTwo());
  std::printf("%u short prompts: %u have other bits than steps, logits of the wide phase differ by at most %g\n",
              prompts.compared, prompts.others, static_cast<double>(prompts.largest));
  if (prompts.others != 0 || !(prompts.largest <= tolerance))
    return makeError(ErrorCode::kSelfCheckFailed, "short prompts give other logits");
  return {};
}

} // namespace
} // namespace llcuda

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: short_prompts ENGINE TOLERANCE\n");
    return 1;
  }
  const auto result = llcuda::run(argv[1], std::strtof(argv[2], nullptr));
  if (result)
    return 0;
  std::fprintf(stderr, "short_prompts: %s\n", result.error().message.c_str());
  return static_cast<int>(result.error().code);
}
