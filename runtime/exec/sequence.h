// SPDX-License-Identifier: Apache-2.0
// One sequence of tokens in a slot of a session: what is in it, what of it is in the cache, and how it goes on.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/exec/log_probabilities.h"
#include "runtime/exec/session.h"

namespace llcuda {

enum class StopReason : int {
  kNone = 0,
  kToken = 1,
  kLength = 2,
  kContext = 3,
  kCallback = 4,
  kForced = 5,
  kString = 6, ///< of requests of a scheduler alone
};

/// Counts, and times in nanoseconds of the steady clock; see llcuda_metrics.
struct Metrics {
  uint64_t promptTokens = 0;
  uint64_t generatedTokens = 0;
  uint64_t decodeSteps = 0;
  uint64_t firstTokenNs = 0;
  uint64_t promptNs = 0;
  uint64_t decodeNs = 0;
  StopReason stop = StopReason::kNone;
  uint64_t seed = 0; ///< of the sampler
};

/// One generated token; spans are valid during the callback.
struct GeneratedToken {
  int32_t token = 0;
  uint32_t index = 0;
  bool stops = false;
  float logProbability = 0;        ///< with log-probabilities or forced tokens
  std::span<const Candidate> top;  ///< with log-probabilities
  std::optional<Candidate> forced; ///< what takes its place
  std::span<const float> logits;   ///< the whole row, with forced tokens or more log-probabilities than kTopTokens
};

struct GenerateOptions {
  int64_t maxTokens = -1;       ///< -1: no limit but the context
  SamplingParams sampling = {}; ///< of the rows: Sampler::params()
  Sampler sampler;              ///< read where these have a chain
  uint32_t logprobs = 0;
  std::optional<std::span<const int32_t>> forced;     ///< sets the number of steps; nothing else stops then
  std::function<bool(int32_t)> isStop;                ///< may be empty
  std::function<bool(const GeneratedToken&)> onToken; ///< may be empty; false ends the generation
};

/// The only one of its session that decodes: it takes row 0.
class Sequence {
public:
  Sequence(Session& session, uint32_t slot) : session(session), slot(slot) {}

  std::span<const int32_t> tokens() const { return sequence; }

  /// Keeps the first `count` tokens, which there must be.
  Result<void> rewind(std::size_t count);
  /// Appends tokens and computes the cache of all but the last: that one is computed when its successor is asked for.
  Result<void> feed(std::span<const int32_t> added);
  /// Appends tokens and generates. `metrics` is filled also when it fails. kUsage: wrong ids, too many, or none at all.
  Result<void> generate(std::span<const int32_t> added, const GenerateOptions& options, Metrics& metrics);

  /// From any thread: makes the feed or generate that runs return kCancelled.
  void cancel() { cancelled = true; }

private:
  class Generation;

  Result<void> append(std::span<const int32_t> added);
  Result<void> cacheUpTo(std::size_t end);
  /// Lets the next prompt begin at token `end` or, where the session has lost what it needs for that, at the first.
  void keepCached(std::size_t end) { cached = session.continuable(slot, static_cast<uint32_t>(std::min(cached, end))); }

  Session& session;
  uint32_t slot;
  std::vector<int32_t> sequence;
  std::size_t cached = 0; // tokens of the sequence whose cache is computed or queued
  std::atomic<bool> cancelled = false;
};

} // namespace llcuda
