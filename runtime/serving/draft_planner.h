// SPDX-License-Identifier: Apache-2.0
// How many guessed tokens a decode step checks: a pure function of chances and times.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/serving/step_planner.h"

namespace llcuda::serving {

/// A row of a decode step, and what could be checked beside it.
struct DraftState {
  uint32_t position = 0;       ///< of the row
  std::vector<double> chances; ///< that all guesses up to each are right: they do not rise
  bool asksModel = false;      ///< each guess of it takes a step of the draft model, shared with those of other rows
};

struct DraftLimits {
  uint32_t rows = 0;     ///< of the step at most, guesses included
  uint32_t least = 0;    ///< a sequence has so many guesses or none
  double overheadMs = 0; ///< that a step with guesses takes beside its rows
  double modelMs = 0;    ///< that a step of the draft model takes
};

struct DraftPlan {
  std::vector<uint32_t> counts; ///< of each row: its guesses
  double tokenMs = 0;           ///< that a token takes, with them
  double speedup = 1;           ///< over a step without guesses
};

/// How many guesses the step has: those with which it makes the most tokens in a time. None where that is not more by
/// kWorthIt than without any.
DraftPlan planDrafts(std::span<const DraftState> rows, const DraftLimits& limits, const StepCosts& costs);
inline constexpr double kWorthIt = 1.03;

} // namespace llcuda::serving
