// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

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

} // namespace llcuda
