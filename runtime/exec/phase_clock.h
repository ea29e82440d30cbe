// SPDX-License-Identifier: Apache-2.0
// When the phases of a session ran, by the device's clock.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "codegen/formats/launch_work.h"
#include "runtime/cuda/stream.h"
#include "runtime/exec/step_tails.h"
#include "runtime/schema/engine_generated.h"

namespace llcuda {

/// One run of a phase.
struct PhaseTime {
  const fb::Phase* phase = nullptr;
  StepTails tails;
  bool trunk = true; ///< with it; tails alone follow their trunk
  StepRows step;
  double nanoseconds = 0;
  double idle = 0; ///< nanoseconds since the phase before it ended, in which the device may have copied; 0 of the first
};

/// Events on the stream, before and after each phase. On hostsim the clock is the host's.
class PhaseClock {
public:
  explicit PhaseClock(std::shared_ptr<const cuda::Context> context) : context(std::move(context)) {}

  /// A phase follows on the stream, or its tails alone.
  Result<void> start(const cuda::Stream& stream, const fb::Phase& phase, const StepTails& tails, const StepRows& step,
                     bool trunk = true);
  /// The phase that was started last ends here.
  Result<void> stop(const cuda::Stream& stream);

  /// The runs that are done and were not taken, in their order.
  Result<std::vector<PhaseTime>> take();

private:
  struct Run {
    PhaseTime time;
    cuda::Event start, stop;
  };

  Result<cuda::Event> event();

  std::shared_ptr<const cuda::Context> context;
  std::deque<Run> runs;
  std::optional<cuda::Event> lastStop; // of the run that was taken last
  std::vector<cuda::Event> spare;
};

} // namespace llcuda
