// SPDX-License-Identifier: Apache-2.0
// How long a step of a phase takes: predicted from the work that the engine states of its launches, then followed by
// what such steps were measured to take. For those who plan steps in time.
#pragma once

#include <array>
#include <map>
#include <utility>

#include "codegen/formats/launch_work.h"
#include "runtime/exec/step_tails.h"
#include "runtime/schema/phase_facts.h"

namespace llcuda {

/// What a device does in a nanosecond at best, and how long a launch takes that has nothing to do.
struct DeviceRates {
  double bytes = 1;                        ///< of its memory
  std::array<double, 5> multiplyAdds = {}; ///< by ArithmeticUnit; of kNone none
  double launchNanoseconds = 0;
};

/// A T4: the best read stream that was measured, and the peaks of its 40 multiprocessors at 1590 MHz, which make 64
/// FP32, 256 dp4a, 1024 int8 and 512 f16 tensor products in a clock.
inline constexpr DeviceRates kT4Rates = {
    264 * 0.92, {1, 40 * 64 * 1.59, 40 * 256 * 1.59, 40 * 1024 * 1.59, 40 * 512 * 1.59}, 3000};

class PhaseCosts {
public:
  explicit PhaseCosts(const DeviceRates& rates) : rates(rates) {}

  /// Nanoseconds of a step of `phase`, which outlives this, with these tails.
  double of(const fb::Phase& phase, const StepTails& tails, const StepRows& step) const;
  /// Such a step took so long.
  void follow(const fb::Phase& phase, const StepTails& tails, const StepRows& step, double nanoseconds);

private:
  /// Measured by predicted, the newer the more it counts.
  struct Ratio {
    bool known = false;
    double value = 1;
    void follow(double measured);
  };

  double predicted(const fb::Phase& phase, LaunchRange launches, const StepRows& step) const;
  double predicted(const fb::Phase& phase, const StepTails& tails, const StepRows& step) const;

  DeviceRates rates;
  std::map<std::pair<const fb::Phase*, bool>, Ratio> ratios; ///< of those that sample, and of the others
  Ratio all;                                                 ///< of whatever was measured: for what was not
};

} // namespace llcuda
