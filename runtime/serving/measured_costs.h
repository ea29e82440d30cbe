// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/exec/phase_clock.h"
#include "runtime/exec/phase_costs.h"
#include "runtime/exec/session.h"
#include "runtime/serving/step_planner.h"

namespace llcuda::serving {

/// What the steps of a session take: predicted for a T4, then as they were measured.
class MeasuredCosts final : public StepCosts {
public:
  explicit MeasuredCosts(const Session& session) : session(session), costs(kT4Rates) {}

  double decode(const StepRows& step) const override {
    return costs.of(session.decodePhase(step.rows), true, step) / 1e6;
  }
  double prompt(uint32_t phase, const StepTails& tails, const StepRows& step) const override {
    return costs.of(session.promptPhase(phase), tails, step) / 1e6;
  }
  void follow(const PhaseTime& time) { costs.follow(*time.phase, time.tails, time.step, time.nanoseconds); }

private:
  const Session& session;
  PhaseCosts costs;
};

/// Runs every phase of a session that nobody uses, and tells what each took: decode steps with a row of each slot, and
/// up to `rowsOfOne` rows of one. Leaves it empty.
Result<void> measurePhases(Session& session, PhaseClock& clock, MeasuredCosts& costs, uint32_t rowsOfOne);

} // namespace llcuda::serving
