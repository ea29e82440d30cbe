// SPDX-License-Identifier: Apache-2.0
// Global loads, by what is known about the data. Addresses are aligned to the size of the value.
//
//   loadStream     read once by the launch and written by nobody in it (weights): keeps out of the L1 cache
//   loadReadOnly   written by nobody in the launch, read by many blocks (scales, tables, input rows)
//   loadCoherent   written by other blocks of this launch before their threadFence: goes past the L1 cache
//   waitForCount   returns when blocks that come before this one in the grid have added up to a count, each after its
//                  threadFence: then loadCoherent sees what they wrote
#pragma once

#include "codegen/kernels/base/device.cuh"

#if defined(__CUDACC_RTC__)

namespace llcuda {

LLCUDA_DEVICE uint4 loadStream(const uint4* source) {
  uint4 v;
  asm("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
      : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
      : "l"(source));
  return v;
}
LLCUDA_DEVICE uint2 loadStream(const uint2* source) {
  uint2 v;
  asm("ld.global.nc.L1::no_allocate.v2.u32 {%0, %1}, [%2];" : "=r"(v.x), "=r"(v.y) : "l"(source));
  return v;
}
LLCUDA_DEVICE uint32_t loadStream(const uint32_t* source) {
  uint32_t v;
  asm("ld.global.nc.L1::no_allocate.u32 %0, [%1];" : "=r"(v) : "l"(source));
  return v;
}
LLCUDA_DEVICE uint16_t loadStream(const uint16_t* source) {
  uint16_t v;
  asm("ld.global.nc.L1::no_allocate.u16 %0, [%1];" : "=h"(v) : "l"(source));
  return v;
}
template <typename T> // a scalar or vector type of CUDA, up to 16 bytes
LLCUDA_DEVICE T loadReadOnly(const T* source) {
  return __ldg(source);
}
template <typename T>
LLCUDA_DEVICE T loadCoherent(const T* source) {
  return __ldcg(source);
}
LLCUDA_DEVICE void waitForCount(const uint32_t* word, uint32_t count) {
  uint32_t seen;
  do asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(seen) : "l"(word) : "memory");
  while (seen != count);
}

} // namespace llcuda

#endif
