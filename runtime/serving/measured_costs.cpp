// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/measured_costs.h"

#include <algorithm>
#include <bit>

namespace llcuda::serving {
namespace {

/// The first run of a graph takes longer than those that follow: the second one counts.
constexpr int kRuns = 2;

Result<void> follow(PhaseClock& clock, MeasuredCosts& costs, bool counts) {
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<PhaseTime> times, clock.take());
  if (counts)
    for (const PhaseTime& time : times) costs.follow(time);
  return {};
}

Result<void> measurePrompts(Session& session, PhaseClock& clock, MeasuredCosts& costs) {
  const SamplingParams greedy = {};
  for (uint32_t phase = 0; phase < session.promptShapes().size(); ++phase) {
    const std::vector<int32_t> tokens(std::min(session.promptShapes()[phase].rows, session.context()), 0);
    for (const SamplingParams* sampling : {&greedy, static_cast<const SamplingParams*>(nullptr)})
      for (int run = 1; run <= kRuns; ++run) {
        const PromptPart part = {0, 0, tokens, sampling};
        LLCUDA_RETURN_IF_ERROR(session.runPrompts(phase, {&part, 1}, false));
        LLCUDA_RETURN_IF_ERROR(session.synchronize());
        LLCUDA_RETURN_IF_ERROR(follow(clock, costs, run == kRuns));
      }
    session.truncate(0, 0);
  }
  return {};
}

Result<void> measureRows(Session& session, PhaseClock& clock, MeasuredCosts& costs, std::span<const DecodeRow> rows) {
  for (int run = 1; run <= kRuns; ++run) {
    LLCUDA_RETURN_IF_ERROR(session.decode(rows, 1));
    LLCUDA_RETURN_IF_ERROR(session.synchronize());
    LLCUDA_RETURN_IF_ERROR(follow(clock, costs, run == kRuns));
  }
  return {};
}

Result<void> measureDecode(Session& session, PhaseClock& clock, MeasuredCosts& costs, uint32_t rowsOfOne) {
  uint32_t most = session.memoryPlan().slots;
  for (const SlotState::Group& group : session.slots().groups()) most = std::min(most, group.table.pool().freeCount());
  std::vector<DecodeRow> rows;
  for (uint32_t count = 1;; count = std::min(2 * count, most)) {
    for (auto slot = static_cast<uint32_t>(rows.size()); slot < count; ++slot) rows.push_back({slot, 0, 0, {}});
    LLCUDA_RETURN_IF_ERROR(measureRows(session, clock, costs, rows));
    if (count == most)
      break;
  }
  LLCUDA_RETURN_IF_ERROR(session.startDecode({}));
  for (uint32_t slot = 0; slot < rows.size(); ++slot) session.truncate(slot, 0);
  std::vector<DecodeRow> ofOne;
  for (uint32_t position = 0; position < std::min(rowsOfOne, session.context()); ++position) {
    ofOne.push_back({0, 0, position, {}});
    if (const auto count = static_cast<uint32_t>(ofOne.size()); count > most && std::has_single_bit(count))
      LLCUDA_RETURN_IF_ERROR(measureRows(session, clock, costs, ofOne));
  }
  LLCUDA_RETURN_IF_ERROR(session.startDecode({}));
  session.truncate(0, 0);
  return {};
}

} // namespace

Result<void> measurePhases(Session& session, PhaseClock& clock, MeasuredCosts& costs, uint32_t rowsOfOne) {
  LLCUDA_RETURN_IF_ERROR(measurePrompts(session, clock, costs));
  return measureDecode(session, clock, costs, rowsOfOne);
}

} // namespace llcuda::serving
