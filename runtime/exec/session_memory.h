// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "runtime/base/result.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/stream.h"
#include "runtime/exec/memory_plan.h"
#include "runtime/exec/program.h"

namespace llcuda {

/// The device memory of one session: arena, page pools, states, io buffers, counters. Counters, states and io buffers
/// start as zeros, block tables as -1, in the order of `stream`.
/// One allocation for each kind of buffer, or with a guarded program one for each buffer.
class SessionMemory {
public:
  static Result<SessionMemory> allocate(const Program& program, const MemoryPlan& plan, const cuda::Stream& stream);

  /// Address of any buffer of the engine, a weight's too.
  cuda::CUdeviceptr address(uint32_t buffer) const { return addresses[buffer]; }

private:
  std::vector<cuda::DeviceMemory> memory;
  std::vector<cuda::CUdeviceptr> addresses;
};

} // namespace llcuda
