// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-bench/mixed.h"

#include <algorithm>
#include <chrono>
#include <deque>

namespace llcuda::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kNone = UINT32_MAX;

class Mixed {
public:
  Mixed(Session& session, const std::vector<MixedRequest>& requests, PhaseClock* clock)
      : session(session), requests(requests), clock(clock), queued(requests.size()), slotOf(requests.size(), kNone) {
    result.tokens.resize(requests.size());
    for (uint32_t slot = session.memoryPlan().slots; slot-- > 0;) freeSlots.push_back(slot);
  }

  Result<MixedRun> run() {
    LLCUDA_RETURN_IF_ERROR(readClock());
    result.times.clear(); // of earlier runs
    const Clock::time_point start = Clock::now();
    while (next < requests.size() || !rows.empty()) {
      LLCUDA_RETURN_IF_ERROR(admit());
      LLCUDA_RETURN_IF_ERROR(dismiss());
      if (rows.empty())
        continue;
      LLCUDA_RETURN_IF_ERROR(session.queueStep(false));
      ++result.steps;
      outputs.push_back(rows);
      for (const uint32_t request : rows) ++queued[request];
      LLCUDA_RETURN_IF_ERROR(readUpTo(1));
    }
    LLCUDA_RETURN_IF_ERROR(readUpTo(0));
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    LLCUDA_RETURN_IF_ERROR(readClock());
    return std::move(result);
  }

private:
  Result<void> readClock() {
    if (!clock)
      return {};
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<PhaseTime> times, clock->take());
    result.times.insert(result.times.end(), times.begin(), times.end());
    return {};
  }

  /// Reads outputs until `left` of them are on their way.
  Result<void> readUpTo(uint32_t left) {
    while (outputs.size() > left) {
      LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session.take());
      const std::vector<uint32_t> owners = std::move(outputs.front());
      outputs.pop_front();
      for (std::size_t i = 0; i < owners.size(); ++i) {
        if (output.sampled[i] < 0)
          return badInput("request ", owners[i], ": the logits after its token ", result.tokens[owners[i]].size(),
                          " are no numbers");
        result.tokens[owners[i]].push_back(output.sampled[i]);
      }
    }
    return {};
  }

  /// Prompts of all that have come and have a slot; where nothing decodes, the next ones have.
  Result<void> admit() {
    const uint32_t first = next;
    while (next < requests.size() && !freeSlots.empty() &&
           (requests[next].step <= result.steps || (rows.empty() && next == first))) {
      slotOf[next++] = freeSlots.back();
      freeSlots.pop_back();
    }
    std::vector<uint32_t> lengths;
    for (uint32_t request = first; request < next; ++request)
      lengths.push_back(static_cast<uint32_t>(requests[request].prompt.size()));
    for (const PromptRun& run : promptRuns(session.promptShapes(), lengths))
      LLCUDA_RETURN_IF_ERROR(runPrompt(run, first));
    return {};
  }

  Result<void> runPrompt(const PromptRun& run, uint32_t first) {
    static constexpr SamplingParams kGreedy = {};
    std::vector<PromptPart> parts;
    std::vector<uint32_t> owners; // of the outputs
    for (const PromptPiece& piece : run.pieces) {
      const uint32_t request = first + piece.prompt;
      const std::vector<int32_t>& prompt = requests[request].prompt;
      const bool last = piece.first + piece.tokens == prompt.size();
      parts.push_back({slotOf[request], piece.first, std::span(prompt).subspan(piece.first, piece.tokens),
                       last ? &kGreedy : nullptr});
      if (last)
        owners.push_back(request);
    }
    LLCUDA_RETURN_IF_ERROR(readUpTo(OutputRing::kDepth - 1));
    LLCUDA_RETURN_IF_ERROR(session.runPrompts(run.phase, parts, false));
    ++result.promptRuns;
    for (uint32_t output = 0; output < owners.size(); ++output) {
      const uint32_t request = owners[output];
      const auto position = static_cast<uint32_t>(requests[request].prompt.size());
      LLCUDA_RETURN_IF_ERROR(
          session.joinOutput(static_cast<uint32_t>(rows.size()), output, {slotOf[request], 0, position, kGreedy}));
      rows.push_back(request);
      queued[request] = 1;
    }
    if (!owners.empty())
      outputs.push_back(std::move(owners));
    return {};
  }

  /// Sequences whose tokens are all queued leave.
  Result<void> dismiss() {
    for (uint32_t row = 0; row < rows.size();) {
      const uint32_t request = rows[row];
      if (queued[request] < requests[request].generate) {
        ++row;
        continue;
      }
      const auto last = static_cast<uint32_t>(rows.size() - 1);
      if (row == last) {
        LLCUDA_RETURN_IF_ERROR(session.leave(row));
      } else {
        LLCUDA_RETURN_IF_ERROR(session.move(last, row));
        ++result.moves;
      }
      rows[row] = rows[last];
      rows.pop_back();
      session.truncate(slotOf[request], 0);
      freeSlots.push_back(slotOf[request]);
    }
    return {};
  }

  Session& session;
  const std::vector<MixedRequest>& requests;
  PhaseClock* clock;
  MixedRun result;
  uint32_t next = 0;                         // the first request that has not begun
  std::vector<uint32_t> queued;              // tokens of each request, its prompt's included
  std::vector<uint32_t> slotOf, freeSlots;   // of each request; those that nobody has
  std::vector<uint32_t> rows;                // the request of each
  std::deque<std::vector<uint32_t>> outputs; // requests of those that were not read
};

} // namespace

Result<MixedRun> runMixed(Session& session, const std::vector<MixedRequest>& requests, PhaseClock* clock) {
  return Mixed(session, requests, clock).run();
}

std::vector<MixedRequest> mixedRequests(uint32_t context, uint32_t vocabulary) {
  struct Length {
    uint32_t prompt, generate, step; // in units of tokens, but for generate; steps are those of the decode
  };
  constexpr Length kLengths[] = {{5, 20, 0}, {9, 12, 0}, {21, 30, 0}, {14, 6, 0}, {17, 10, 4}, {23, 15, 4}};
  const uint32_t unit = std::clamp(context / 64, 1u, 2u);
  std::vector<MixedRequest> requests;
  for (const Length& length : kLengths) {
    MixedRequest request;
    for (uint32_t i = 0; i < length.prompt * unit; ++i)
      request.prompt.push_back(static_cast<int32_t>((requests.size() * 131 + i * 17 + 3) % vocabulary));
    request.generate = length.generate;
    request.step = length.step;
    requests.push_back(std::move(request));
  }
  return requests;
}

} // namespace llcuda::bench
