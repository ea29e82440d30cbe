// SPDX-License-Identifier: Apache-2.0
// Tokens that are guessed ahead and checked beside the next one.
#pragma once

#include <cstdint>

#include "runtime/serving/step_planner.h"

namespace llcuda::serving {

enum class Speculation : int {
  kNone = 0,
  kNgram = 1, ///< NgramDrafter
};

/// Beside them a DraftModel may guess.
struct SpeculationOptions {
  Speculation kind = Speculation::kNone;
  uint32_t most = 15;                    ///< guesses of a sequence in a step
  uint32_t least = 0;                    ///< fewer are not checked
  uint32_t ngram = 3;                    ///< tokens that a match has at least
  double leastSure = 0;                  ///< probability below which a draft model's token is no guess
  const StepCosts* costs = nullptr;      ///< what a step is taken to cost; null: as it was measured. Outlives the loop
  const StepCosts* draftCosts = nullptr; ///< the same of the draft model's phases
};

/// Decode steps of up to so many rows give a row the same bits, however many there are.
inline constexpr uint32_t kAlikeRows = 8;

} // namespace llcuda::serving
