// SPDX-License-Identifier: Apache-2.0
#include "runtime/hostsim/control.h"

#include "runtime/hostsim/driver_state.h"

using llcuda::hostsim::DriverState;

LLCUDA_HOSTSIM_EXPORT int llcudaHostsimInjectFault(const char* function, uint64_t nth, int result) {
  return DriverState::instance().calls.inject(function ? function : "", nth,
                                              static_cast<llcuda::cuda::CUresult>(result));
}

LLCUDA_HOSTSIM_EXPORT uint64_t llcudaHostsimCallCount(const char* function) {
  return DriverState::instance().calls.calls(function ? function : "");
}

LLCUDA_HOSTSIM_EXPORT int llcudaHostsimFaultStruck(void) {
  return DriverState::instance().calls.struck();
}

LLCUDA_HOSTSIM_EXPORT void llcudaHostsimSetThreads(unsigned count) {
  DriverState& state = DriverState::instance();
  const std::lock_guard lock(state.mutex);
  state.threadCount = count;
  state.executor.reset(); // launches under way keep theirs
}

LLCUDA_HOSTSIM_EXPORT void llcudaHostsimSetMemory(uint64_t bytes) {
  DriverState::instance().memory.setSize(bytes);
}

LLCUDA_HOSTSIM_EXPORT uint64_t llcudaHostsimLiveObjects(void) {
  DriverState& state = DriverState::instance();
  const std::lock_guard lock(state.mutex);
  return state.contextShares + state.memory.liveAllocations() + state.modules.size() + state.streams.size() +
         state.events.size() + state.graphs.size() + state.executables.size();
}
