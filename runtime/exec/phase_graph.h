// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "runtime/base/result.h"
#include "runtime/cuda/graph.h"
#include "runtime/cuda/stream.h"
#include "runtime/exec/program.h"
#include "runtime/exec/session_memory.h"
#include "runtime/schema/phase_facts.h"

namespace llcuda {

/// Launches of a phase, captured once: every pointer in it stays valid as long as the session's memory.
class PhaseGraph {
public:
  static Result<PhaseGraph> capture(const Program& program, const SessionMemory& memory, const fb::Phase& phase,
                                    LaunchRange launches);

  Result<void> launch(const cuda::Stream& stream) const { return stream.launch(executable); }
  uint32_t kernelNodes() const { return nodes; }

private:
  PhaseGraph(cuda::ExecutableGraph executable, uint32_t nodes) : executable(std::move(executable)), nodes(nodes) {}

  cuda::ExecutableGraph executable;
  uint32_t nodes;
};

} // namespace llcuda
