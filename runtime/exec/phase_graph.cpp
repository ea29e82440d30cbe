// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/phase_graph.h"

#include <utility>

#include "runtime/exec/phase_run.h"

namespace llcuda {
Result<PhaseGraph> PhaseGraph::capture(const Program& program, const SessionMemory& memory, const fb::Phase& phase,
                                       LaunchRange launches) {
  // A thread that captures may load no module.
  for (uint32_t i = launches.first; i < launches.end; ++i)
    LLCUDA_RETURN_IF_ERROR(program.kernels().function(phase.launches()->Get(i)->kernel()));
  // A stream of its own: should the capture not end, it goes with the stream, and the session's memory can be freed.
  LLCUDA_ASSIGN_OR_RETURN(const cuda::Stream stream, cuda::Stream::create(program.device().context));
  LLCUDA_RETURN_IF_ERROR(stream.beginCapture());
  Result<void> launched;
  for (uint32_t i = launches.first; i < launches.end && launched; ++i)
    launched = launchOn(stream, program, memory, *phase.launches()->Get(i));
  auto captured = stream.endCapture();
  LLCUDA_RETURN_IF_ERROR(std::move(launched));
  LLCUDA_ASSIGN_OR_RETURN(const cuda::Graph graph, std::move(captured));
  LLCUDA_ASSIGN_OR_RETURN(const std::size_t nodes, graph.kernelNodes());
  LLCUDA_ASSIGN_OR_RETURN(cuda::ExecutableGraph executable, graph.instantiate());
  return PhaseGraph(std::move(executable), static_cast<uint32_t>(nodes));
}

} // namespace llcuda
