// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/phase_costs.h"

#include <algorithm>

#include "runtime/engine/launch_work.h"

namespace llcuda {
namespace {

/// How much the newest measurement counts.
constexpr double kNewest = 1. / 8;

/// Multiply-adds of a launch. Rows without a token are computed like others; each row of a sequence goes through the
/// keys of all.
double multiplyAdds(const LaunchWork& work, const StepRows& step) {
  const double rowsOfEach = static_cast<double>(step.rows) / step.sequences;
  return static_cast<double>(work.rows) * static_cast<double>(work.rowMultiplyAdds) +
         static_cast<double>(keysRead(work, step)) * static_cast<double>(work.keyMultiplyAdds) * rowsOfEach;
}

} // namespace

void PhaseCosts::Ratio::follow(double measured) {
  value = known ? value + kNewest * (measured - value) : measured;
  known = true;
}

double PhaseCosts::predicted(const fb::Phase& phase, LaunchRange launches, const StepRows& step) const {
  double nanoseconds = 0;
  for (uint32_t i = launches.first; i < launches.end; ++i) {
    const LaunchWork work = workOf(*phase.launches()->Get(i)->work());
    const double memory = static_cast<double>(bytesOf(work, step)) / rates.bytes;
    const double arithmetic = work.unit == ArithmeticUnit::kNone
                                  ? 0
                                  : multiplyAdds(work, step) / rates.multiplyAdds[static_cast<std::size_t>(work.unit)];
    nanoseconds += std::max(memory, arithmetic) + rates.launchNanoseconds;
  }
  return nanoseconds;
}

double PhaseCosts::predicted(const fb::Phase& phase, const StepTails& tails, const StepRows& step) const {
  double nanoseconds = predicted(phase, stepOf(phase, tails.sample), step);
  if (tails.report)
    nanoseconds += predicted(phase, launchesOf(phase, fb::TailKind::report), step);
  if (tails.scoreRuns != 0)
    nanoseconds += tails.scoreRuns * predicted(phase, launchesOf(phase, fb::TailKind::score), step);
  if (tails.pool)
    nanoseconds += predicted(phase, launchesOf(phase, fb::TailKind::pool), step);
  return nanoseconds;
}

double PhaseCosts::of(const fb::Phase& phase, const StepTails& tails, const StepRows& step) const {
  const auto found = ratios.find({&phase, tails.sample});
  return predicted(phase, tails, step) * (found == ratios.end() ? all : found->second).value;
}

void PhaseCosts::follow(const fb::Phase& phase, const StepTails& tails, const StepRows& step, double nanoseconds) {
  const double ratio = nanoseconds / predicted(phase, tails, step);
  ratios[{&phase, tails.sample}].follow(ratio);
  all.follow(ratio);
}

} // namespace llcuda
