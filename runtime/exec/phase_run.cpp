// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/phase_run.h"

#include <vector>

namespace llcuda {

Result<void> launchOn(const cuda::Stream& stream, const Program& program, const SessionMemory& memory,
                      const fb::Launch& launch) {
  const fb::Kernel& kernel = *program.engine().metadata().kernels()->Get(launch.kernel());
  std::vector<cuda::CUdeviceptr> pointers;
  for (const fb::Argument* argument : *launch.arguments())
    pointers.push_back(memory.address(argument->buffer()) + argument->offset());
  LLCUDA_ASSIGN_OR_RETURN(const cuda::Function* function, program.kernels().function(launch.kernel()));
  return stream.launch(*function, {launch.grid_x(), launch.grid_y(), launch.grid_z()}, kernel.threads(),
                       kernel.dynamic_shared_bytes(), pointers);
}

Result<void> launchAll(const PhaseRun& run, LaunchObserver* observer) {
  const auto& launches = *run.phase.launches();
  if (observer)
    LLCUDA_RETURN_IF_ERROR(observer->begin(run));
  for (uint32_t i = run.launches.first; i < run.launches.end; ++i) {
    if (observer)
      LLCUDA_RETURN_IF_ERROR(observer->before(run, i));
    LLCUDA_RETURN_IF_ERROR(launchOn(run.stream, run.program, run.memory, *launches[i]));
    if (observer)
      LLCUDA_RETURN_IF_ERROR(observer->after(run, i));
  }
  return observer ? observer->end(run) : Result<void>();
}

} // namespace llcuda
