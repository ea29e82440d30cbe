// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace llcuda {

/// What follows the trunk of a step.
struct StepTails {
  constexpr StepTails(bool sample = false) : sample(sample) {} // NOLINT: most steps have no other

  bool sample;
  bool report = false;    ///< how likely what was sampled is
  uint32_t scoreRuns = 0; ///< of the tail that scores
  bool pool = false;
};

/// What is read back of a step beside its tokens.
struct StepReads {
  constexpr StepReads(bool logits = false, bool scores = false) : logits(logits), scores(scores) {} // NOLINT

  bool logits; ///< of its outputs, whole rows
  bool scores; ///< a TokenScore of each output
};

} // namespace llcuda
