// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/draft_planner.h"

#include <algorithm>
#include <utility>

namespace llcuda::serving {

DraftPlan planDrafts(std::span<const DraftState> rows, const DraftLimits& limits, const StepCosts& costs) {
  const auto count = static_cast<uint32_t>(rows.size());
  std::vector<uint32_t> tried(count), best(count);
  StepRows step = {.rows = count, .sequences = count};
  for (const DraftState& row : rows) step.positions += row.position + 1;
  double tokens = count;
  const double plain = tokens / costs.decode(step);
  double rate = kWorthIt * plain;
  uint32_t modelSteps = 0;
  const auto canHave = [&](uint32_t row) {
    return rows[row].chances.size() >= limits.least && tried[row] < rows[row].chances.size();
  };
  while (step.rows < limits.rows) {
    uint32_t next = count; // the likeliest guess of all
    for (uint32_t row = 0; row < count; ++row)
      if (canHave(row) && (next == count || rows[row].chances[tried[row]] > rows[next].chances[tried[next]]))
        next = row;
    if (next == count)
      break;
    tokens += rows[next].chances[tried[next]];
    ++tried[next];
    if (rows[next].asksModel)
      modelSteps = std::max(modelSteps, tried[next]);
    ++step.rows, ++step.sequences; // its keys are read by each row
    step.positions += rows[next].position + 1 + tried[next];
    const double milliseconds = costs.decode(step) + limits.overheadMs + modelSteps * limits.modelMs;
    if (const double now = tokens / milliseconds; now > rate) {
      rate = now;
      best = tried;
    }
  }
  DraftPlan plan = {std::move(best), 1 / plain, 1};
  if (std::ranges::any_of(plan.counts, [](uint32_t guesses) { return guesses != 0; }))
    plan = {std::move(plan.counts), 1 / rate, rate / plain};
  for (uint32_t& guesses : plan.counts)
    if (guesses < limits.least)
      guesses = 0;
  return plan;
}

} // namespace llcuda::serving
