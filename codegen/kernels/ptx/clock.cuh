// SPDX-License-Identifier: Apache-2.0
// Where and when a thread runs. On the host, whose time means nothing, all are 0.
//
//   clockCycles()        cycles of the thread's multiprocessor; barriers before and behind keep work from passing it
//   multiprocessorId()   which one
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

LLCUDA_DEVICE uint64_t clockCycles() {
  uint64_t cycles = 0;
#if defined(__CUDACC_RTC__)
  asm volatile("mov.u64 %0, %%clock64;" : "=l"(cycles)::"memory");
#endif
  return cycles;
}

LLCUDA_DEVICE uint32_t multiprocessorId() {
  uint32_t id = 0;
#if defined(__CUDACC_RTC__)
  asm volatile("mov.u32 %0, %%smid;" : "=r"(id));
#endif
  return id;
}

} // namespace llcuda
