// SPDX-License-Identifier: Apache-2.0
// The thread's number, read again.
//
//   threadIndexAnew()   threadIdx.x in a register of its own: what is made of it after a loop costs none within the
//                       loop
#pragma once

#include "codegen/kernels/base/device.cuh"

#if defined(__CUDACC_RTC__)

namespace llcuda {

LLCUDA_DEVICE int threadIndexAnew() {
  int index;
  asm volatile("mov.u32 %0, %%tid.x;" : "=r"(index));
  return index;
}

} // namespace llcuda

#endif
