// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/residual_taps.h"

#include <span>

#include "runtime/schema/phase_facts.h"

namespace llcuda {

Result<void> ResidualTaps::begin(const PhaseRun& run) {
  const Engine& engine = run.program.engine();
  std::size_t taps = 0;
  for (const fb::Launch* launch : *run.phase.launches()) taps += launch->tap() != -1;
  if (taps == 0)
    return unsupported(engine.path(), ": its ", phaseName(run.phase), " phase of ", run.phase.rows(),
                       " rows does not say where the values of a layer lie; compile the model again");
  values.resize(taps);
  return {};
}

Result<void> ResidualTaps::after(const PhaseRun& run, uint32_t launch) {
  const fb::Launch& done = *run.phase.launches()->Get(launch);
  if (done.tap() == -1)
    return {};
  std::vector<float>& layer = values[static_cast<std::size_t>(done.layer())];
  const std::size_t before = layer.size();
  layer.resize(before + std::size_t{run.rows} * run.program.engine().model().embedding());
  LLCUDA_RETURN_IF_ERROR(run.stream.copyToHost(std::as_writable_bytes(std::span(layer).subspan(before)),
                                               run.memory.address(static_cast<uint32_t>(done.tap()))));
  return run.stream.synchronize(); // the buffer is used again
}

} // namespace llcuda
