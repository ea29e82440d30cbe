// SPDX-License-Identifier: Apache-2.0
// What slots keep in states, against the same in a slot that nobody had before, on hostsim:
//
//   states_agree ENGINE
//
// Each way to a place in a sequence is compared by the logits of the steps from there on, bit for bit. Ends with 4 at
// the first that differ.
#include <atomic>
#include <cstdio>
#include <functional>
#include <string>

#include "runtime/exec/session.h"

namespace llcuda {
namespace {

constexpr uint32_t kSlots = 3, kPrompt = 90, kSteps = 6;
const SamplingParams kGreedy = {};
using Logits = std::vector<std::vector<float>>;

std::vector<int32_t> tokensOf(uint32_t sequence, uint32_t count, uint32_t vocabulary) {
  std::vector<int32_t> tokens(count);
  for (size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = static_cast<int32_t>((sequence * 131 + i * i * 7 + i * 17 + 3) % vocabulary);
  return tokens;
}

class Check {
public:
  explicit Check(Session& session)
      : session(session), vocabulary(session.program().engine().model().vocabulary()),
        longest(tokensOf(0, kPrompt + kSteps, vocabulary)) {}

  Result<void> run() {
    LLCUDA_RETURN_IF_ERROR(prompt(0, 0, kPrompt));
    LLCUDA_ASSIGN_OR_RETURN(fresh, steps(0, kPrompt, kSteps));
    LLCUDA_RETURN_IF_ERROR(compare("a slot that another sequence had", [&]() -> Result<Logits> {
      LLCUDA_RETURN_IF_ERROR(other(0, 150, 5));
      LLCUDA_RETURN_IF_ERROR(prompt(0, 0, kPrompt));
      return steps(0, kPrompt, kSteps);
    }));
    LLCUDA_RETURN_IF_ERROR(compare("a prompt that was cancelled before", [&]() -> Result<Logits> {
      LLCUDA_RETURN_IF_ERROR(prompt(0, 0, 33));
      session.truncate(0, 0);
      LLCUDA_RETURN_IF_ERROR(prompt(0, 0, kPrompt));
      return steps(0, kPrompt, kSteps);
    }));
    LLCUDA_RETURN_IF_ERROR(compare("each step twice", [&]() -> Result<Logits> {
      LLCUDA_RETURN_IF_ERROR(prompt(0, 0, kPrompt));
      Logits all;
      for (uint32_t step = 0; step < kSteps; ++step) {
        LLCUDA_RETURN_IF_ERROR(steps(0, kPrompt + step, 1));
        if (session.continuable(0, kPrompt + step) != kPrompt + step)
          return makeError(ErrorCode::kSelfCheckFailed, "a slot cannot go back by a step");
        LLCUDA_ASSIGN_OR_RETURN(const Logits again, steps(0, kPrompt + step, 1));
        all.push_back(again[0]);
      }
      return all;
    }));
    LLCUDA_RETURN_IF_ERROR(compare("a row that was held", [&] { return heldSteps(); }));
    LLCUDA_RETURN_IF_ERROR(compare("host memory and back into another slot", [&] { return movedSteps(); }));
    LLCUDA_RETURN_IF_ERROR(compare("prompts of three slots in one phase", [&] { return sharedPhase(); }));
    if (session.continuable(0, 10) != 0 || session.share(1, 0, 64) != 0)
      return makeError(ErrorCode::kSelfCheckFailed, "a slot says that it has states of before");
    return {};
  }

private:
  Result<void> compare(const char* what, const std::function<Result<Logits>()>& way) {
    for (uint32_t slot = 0; slot < kSlots; ++slot) session.truncate(slot, 0);
    LLCUDA_ASSIGN_OR_RETURN(const Logits logits, way());
    std::printf("%s: %s\n", what, logits == fresh ? "the same" : "other logits");
    return logits == fresh ? Result<void>()
                           : Result<void>(makeError(ErrorCode::kSelfCheckFailed, what, " gives other logits"));
  }

  Result<void> prompt(uint32_t slot, uint32_t first, uint32_t end) {
    const std::atomic<bool> cancelled = false;
    return session.prompt(slot, first, std::span(longest).subspan(first, end - first), nullptr, false, cancelled);
  }

  /// Another sequence: a prompt and some steps.
  Result<void> other(uint32_t slot, uint32_t count, uint32_t stepCount) {
    const std::atomic<bool> cancelled = false;
    const std::vector<int32_t> tokens = tokensOf(5, count + stepCount, vocabulary);
    session.truncate(slot, 0);
    LLCUDA_RETURN_IF_ERROR(session.prompt(slot, 0, std::span(tokens).first(count), nullptr, false, cancelled));
    LLCUDA_RETURN_IF_ERROR(session.decode(std::vector<DecodeRow>{{slot, tokens[count], count, kGreedy}}, stepCount));
    session.truncate(slot, 0);
    return {};
  }

  DecodeRow rowAt(uint32_t slot, uint32_t position) const { return {slot, longest[position], position, kGreedy}; }

  /// Logits of `row` after one step of the rows there are.
  Result<std::vector<float>> step(uint32_t row) {
    LLCUDA_RETURN_IF_ERROR(session.queueStep(true));
    LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session.take());
    const auto logits = output.logits.subspan(size_t{row} * vocabulary, vocabulary);
    return std::vector<float>(logits.begin(), logits.end());
  }

  Result<Logits> steps(uint32_t slot, uint32_t position, uint32_t count) {
    Logits all;
    for (uint32_t i = 0; i < count; ++i) {
      LLCUDA_RETURN_IF_ERROR(session.startDecode(std::vector<DecodeRow>{rowAt(slot, position + i)}));
      LLCUDA_ASSIGN_OR_RETURN(all.emplace_back(), step(0));
    }
    return all;
  }

  /// Beside another sequence; every second step is on hold, so that its row is computed without a token.
  Result<Logits> heldSteps() {
    LLCUDA_RETURN_IF_ERROR(other(1, 40, 1));
    LLCUDA_RETURN_IF_ERROR(prompt(0, 0, kPrompt));
    LLCUDA_RETURN_IF_ERROR(prompt(1, 0, 7));
    Logits all;
    for (uint32_t i = 0; i < kSteps; ++i) {
      LLCUDA_RETURN_IF_ERROR(session.startDecode(std::vector<DecodeRow>{rowAt(1, 7 + i), rowAt(0, kPrompt + i)}));
      if (i % 2 == 1) {
        LLCUDA_RETURN_IF_ERROR(session.hold(1, true));
        LLCUDA_RETURN_IF_ERROR(step(1));
        LLCUDA_RETURN_IF_ERROR(session.startDecode(std::vector<DecodeRow>{rowAt(1, 8 + i), rowAt(0, kPrompt + i)}));
      }
      LLCUDA_ASSIGN_OR_RETURN(all.emplace_back(), step(1));
    }
    return all;
  }

  /// Paused after the prompt and after each step but the last.
  Result<Logits> movedSteps() {
    HostPages host(session.program().device().context, session.copier().blockBytes(), uint64_t{64} << 20);
    LLCUDA_RETURN_IF_ERROR(prompt(0, 0, kPrompt));
    Logits all;
    for (uint32_t i = 0; i < kSteps; ++i) {
      const uint32_t from = i % kSlots, to = (i + 1) % kSlots;
      LLCUDA_ASSIGN_OR_RETURN(const std::optional<SlotCopy> copy, session.copyOut(from, kPrompt + i, host));
      if (!copy)
        return makeError(ErrorCode::kSelfCheckFailed, "host memory has no room");
      LLCUDA_RETURN_IF_ERROR(other(from, 70, 3));
      LLCUDA_RETURN_IF_ERROR(other(to, 20, 2));
      LLCUDA_RETURN_IF_ERROR(session.copyIn(to, *copy));
      LLCUDA_ASSIGN_OR_RETURN(const Logits logits, steps(to, kPrompt + i, 1));
      all.push_back(logits[0]);
    }
    return all;
  }

  /// Cut into parts of a phase that has parts of two others in front and behind.
  Result<Logits> sharedPhase() {
    const auto shapes = session.promptShapes();
    uint32_t phase = 0;
    while (phase < shapes.size() && shapes[phase].rows < 4 * shapes[phase].rowBlock) ++phase;
    if (phase == shapes.size())
      return makeError(ErrorCode::kSelfCheckFailed, "no phase has room for three sequences");
    const std::vector<int32_t> before = tokensOf(9, 70, vocabulary), behind = tokensOf(10, 70, vocabulary);
    uint32_t done = 0;
    for (const uint32_t count : {61u, 1u, 2u, kPrompt - 64}) {
      for (const uint32_t slot : {0u, 1u}) session.truncate(slot, 0);
      const PromptPart parts[] = {{0, 0, std::span(before).first(3), nullptr},
                                  {2, done, std::span(longest).subspan(done, count), nullptr},
                                  {1, 0, behind, nullptr}};
      LLCUDA_RETURN_IF_ERROR(session.runPrompts(phase, parts, false));
      done += count;
    }
    return steps(2, kPrompt, kSteps);
  }

  Session& session;
  const uint32_t vocabulary;
  const std::vector<int32_t> longest;
  Logits fresh;
};

Result<void> run(const std::string& path) {
  LLCUDA_ASSIGN_OR_RETURN(Engine opened, Engine::open(path));
  const auto engine = std::make_shared<const Engine>(std::move(opened));
  LLCUDA_ASSIGN_OR_RETURN(OpenedDevice device, openDevice(*engine, DeviceChoice::kHost, 0, {}));
  LLCUDA_ASSIGN_OR_RETURN(auto program, Program::load(engine, std::move(device), false, ""));
  LLCUDA_ASSIGN_OR_RETURN(const auto session,
                          Session::create(std::move(program), engine->metadata().max_context(), kSlots));
  return Check(*session).run();
}

} // namespace
} // namespace llcuda

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: states_agree ENGINE\n");
    return 1;
  }
  const auto result = llcuda::run(argv[1]);
  if (result)
    return 0;
  std::fprintf(stderr, "states_agree: %s\n", result.error().message.c_str());
  return static_cast<int>(result.error().code);
}
