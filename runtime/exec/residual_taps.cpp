// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/residual_taps.h"

#include <span>

namespace llcuda {

Result<void> ResidualTaps::begin(const PhaseRun& run) {
  const Engine& engine = run.program.engine();
  if (!run.phase.taps() || run.phase.taps()->size() == 0)
    return unsupported(engine.path(), ": its ", fb::EnumNamePhaseKind(run.phase.kind()), " phase of ", run.phase.rows(),
                       " rows does not say where the values of a layer lie; compile the model again");
  values.resize(run.phase.taps()->size());
  return {};
}

Result<void> ResidualTaps::after(const PhaseRun& run, uint32_t launch) {
  const auto& taps = *run.phase.taps();
  for (uint32_t layer = 0; layer < taps.size(); ++layer) {
    if (taps[layer]->launch() != launch)
      continue;
    const std::size_t before = values[layer].size();
    values[layer].resize(before + std::size_t{run.rows} * run.program.engine().model().embedding());
    LLCUDA_RETURN_IF_ERROR(run.stream.copyToHost(std::as_writable_bytes(std::span(values[layer]).subspan(before)),
                                                 run.memory.address(taps[layer]->buffer())));
    return run.stream.synchronize(); // the buffer is used again
  }
  return {};
}

} // namespace llcuda
