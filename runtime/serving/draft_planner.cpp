// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/draft_planner.h"

#include <algorithm>

namespace llcuda::serving {

std::vector<uint32_t> planDrafts(std::span<const DraftState> rows, const DraftLimits& limits, const StepCosts& costs) {
  const auto count = static_cast<uint32_t>(rows.size());
  std::vector<uint32_t> tried(count), best(count);
  StepRows step = {.rows = count, .sequences = count};
  for (const DraftState& row : rows) step.positions += row.position + 1;
  double tokens = count;
  double rate = kWorthIt * tokens / costs.decode(step);
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
    ++step.rows, ++step.sequences; // its keys are read by each row
    step.positions += rows[next].position + 1 + tried[next];
    if (const double now = tokens / (costs.decode(step) + limits.overheadMs); now > rate) {
      rate = now;
      best = tried;
    }
  }
  for (uint32_t& guesses : best)
    if (guesses < limits.least)
      guesses = 0;
  return best;
}

} // namespace llcuda::serving
