// SPDX-License-Identifier: Apache-2.0
// What the device does in the next step: a pure function of who runs, what is left of prompts, pages and times. The
// scheduler carries it out; tests run it against simulated clocks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codegen/formats/launch_work.h"
#include "runtime/exec/prompt_runs.h"
#include "runtime/exec/step_tails.h"

namespace llcuda::serving {

/// What steps take, in milliseconds.
class StepCosts {
public:
  virtual ~StepCosts() = default;
  virtual double decode(const StepRows& step) const = 0;
  /// A run of prompt phase `phase`.
  virtual double prompt(uint32_t phase, const StepTails& tails, const StepRows& step) const = 0;
};

/// Who goes first. Higher priorities do; of one priority whose turn comes first, then who came first.
struct Standing {
  int32_t priority = 0;
  uint64_t arrival = 0; ///< of the request, by rising numbers
  double waited = 0;    ///< milliseconds without a step of its own: at `aging` it goes in front of every priority
  uint64_t turn = 0;    ///< FairShares::rounds(), or 0 for all

  /// Whether it goes before `other`.
  bool precedes(const Standing& other, double aging) const;
};

/// Of each group of KV pools.
using PageCounts = std::vector<uint32_t>;

/// A sequence that takes part in decode steps.
struct RowState {
  Standing standing;
  uint32_t position = 0; ///< that the next step computes
  PageCounts missing;    ///< pages that this takes from the pools
  PageCounts held;       ///< that pausing it gives back: nobody else uses them
};

/// A sequence whose prompt is not computed, and which has a slot.
struct PromptState {
  Standing standing;
  uint32_t first = 0;  ///< position of the next token to compute
  uint32_t left = 1;   ///< tokens to compute, at least one
  PageCounts held;     ///< pages that pausing it gives back, those included that it was promised
  bool samples = true; ///< its last token is asked for the next one
  bool scored = false; ///< its rows are scored
  bool pooled = false; ///< its rows are summed
};

struct StepState {
  std::span<const RowState> rows;
  std::span<const PromptState> prompts;
  PageCounts free; ///< pages that nobody uses and nobody was promised
};

struct PlannerOptions {
  double target = 0;     ///< milliseconds of the longest step while others generate; 0: see planStep()
  double aging = 2000;   ///< milliseconds
  uint32_t mostRuns = 3; ///< prompt runs in a step
};
/// Three medians are what a reader of a stream may wait; steps become longer with their rows and positions. The second:
/// while more sequences have their prompt to compute than generate.
inline constexpr double kDecodeSteps = 2.5, kCrowdedSteps = 2.9;

/// One step: pauses, then prompt runs, then a decode step of the rows that are left, if there are any.
struct StepPlan {
  std::vector<uint32_t> pausedRows, pausedPrompts; ///< indices
  std::vector<PromptRun> runs; ///< pieces name prompts by index; their tokens count from the prompt's first one left
};

/// Rows for which pages lack make room first: of rows and prompts the newest of the lowest priority are paused.
/// Then, while rows generate, as many prompt tokens as fit into the step beside the decode: it may take kDecodeSteps
/// decode steps of all who are there, also of those whose prompt is not computed yet, since such steps are what streams
/// will see most of. When no run fits, one of the narrowest phase of 64 rows or more (else the widest), so that a
/// prompt ends.
/// Without rows one run, of the phase that suits the prompts best. Prompts go in order, each finished before the next
/// begins; as far as a run has room those behind it ride along. `phases` are those of firstPromptRun().
StepPlan planStep(const StepState& state, std::span<const PromptShape> phases, const StepCosts& costs,
                  const PlannerOptions& options);

/// What planStep() takes a run to need: one sequence a piece.
StepRows stepRowsOf(const PromptRun& run, std::span<const PromptState> prompts);

} // namespace llcuda::serving
