// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/phase_clock.h"

#include <utility>

namespace llcuda {

Result<cuda::Event> PhaseClock::event() {
  if (spare.empty())
    return cuda::Event::createTimed(context);
  cuda::Event event = std::move(spare.back());
  spare.pop_back();
  return event;
}

Result<void> PhaseClock::start(const cuda::Stream& stream, const fb::Phase& phase, const StepTails& tails,
                               const StepRows& step, bool trunk) {
  Run run;
  run.time.phase = &phase;
  run.time.tails = tails;
  run.time.trunk = trunk;
  run.time.step = step;
  LLCUDA_ASSIGN_OR_RETURN(run.start, event());
  LLCUDA_ASSIGN_OR_RETURN(run.stop, event());
  LLCUDA_RETURN_IF_ERROR(stream.record(run.start));
  runs.push_back(std::move(run));
  return {};
}

Result<void> PhaseClock::stop(const cuda::Stream& stream) {
  return stream.record(runs.back().stop);
}

Result<std::vector<PhaseTime>> PhaseClock::take() {
  std::vector<PhaseTime> times;
  while (!runs.empty()) {
    Run& run = runs.front();
    LLCUDA_ASSIGN_OR_RETURN(const bool done, run.stop.done());
    if (!done)
      break;
    LLCUDA_ASSIGN_OR_RETURN(run.time.nanoseconds, cuda::nanosecondsBetween(run.start, run.stop));
    if (lastStop) {
      LLCUDA_ASSIGN_OR_RETURN(run.time.idle, cuda::nanosecondsBetween(*lastStop, run.start));
      spare.push_back(std::move(*lastStop));
    }
    times.push_back(run.time);
    lastStop = std::move(run.stop);
    spare.push_back(std::move(run.start));
    runs.pop_front();
  }
  return times;
}

} // namespace llcuda
