// SPDX-License-Identifier: Apache-2.0
// Sequences that come and go while others decode.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "llcuda/llcuda.hpp"
#include "runtime/base/result.h"
#include "runtime/exec/session.h"

namespace llcuda::bench {

/// A prompt, and how many tokens are to follow it.
struct MixedRequest {
  std::vector<int32_t> prompt;
  uint32_t generate = 1;
  uint32_t step = 0; ///< decode steps that are queued before it comes
};

struct MixedRun {
  std::vector<std::vector<int32_t>> tokens; ///< of each request, those that follow the prompt
  uint32_t steps = 0;
  uint32_t promptRuns = 0;
  uint32_t moves = 0; ///< of a row into one that a sequence has left
  double seconds = 0;
  std::vector<PhaseTime> times; ///< of the phases, where they were timed
};

/// Runs the requests, at most as many at a time as the session has slots. Prompts that come together share runs; first
/// tokens go into their rows on the device; a sequence that has its tokens leaves, and the last row takes its place.
/// The next phase is queued before the last one's output is read. `clock` is the session's, or null.
Result<MixedRun> runMixed(Session& session, const std::vector<MixedRequest>& requests, PhaseClock* clock = nullptr);

/// Six requests: four of other lengths that begin together, and two that come later and share a prompt phase, if the
/// engine has one for two. They fill at most `context` positions.
std::vector<MixedRequest> mixedRequests(uint32_t context, uint32_t vocabulary);

/// Runs them alone and mixed, and says how long both take, how many tokens are other than alone, what share of the
/// mixed run the device stands between phases, and, as "json" or "jsonl", what the phases take; else "md".
Result<std::string> mixedTable(const std::string& path, Verify verify, const api::SessionOptions& options,
                               uint64_t cacheBytes, const std::string& format);

} // namespace llcuda::bench
