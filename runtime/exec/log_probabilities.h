// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codegen/formats/token_score.h"
#include "runtime/base/result.h"

namespace llcuda {

struct Candidate {
  int32_t token;
  float logProbability;
};

/// The natural log-probabilities of a row of logits.
class LogProbabilities {
public:
  /// kInternal when a logit is not finite: the engine, or the memory that it ran in, is broken. `logits` must outlive
  /// the object.
  static Result<LogProbabilities> of(std::span<const float> logits);

  float operator[](int32_t token) const;
  /// The `count` most likely tokens (at most all), best first; ties: lowest id first.
  std::vector<Candidate> top(uint32_t count) const;

private:
  std::span<const float> logits;
  double logSum = 0; // of the exponentials
};

/// How likely a token was, and the most likely ones in its place, best first.
struct ScoredToken {
  float logProbability = 0;
  std::vector<Candidate> top;

  /// With `count` candidates. kInternal as LogProbabilities::of().
  static Result<ScoredToken> of(std::span<const float> logits, int32_t token, uint32_t count);
  /// The same of what the device made, with at most kTopTokens.
  static Result<ScoredToken> of(const TokenScore& score, uint32_t count);
};

} // namespace llcuda
