// SPDX-License-Identifier: Apache-2.0
// The last of a group of blocks to arrive finishes what the group began.
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

/// True in every thread of the block that is the last of `blocks` to arrive at `counter`, which it sets back to zero.
/// That block may then read by loadCoherent what the others wrote to device memory before their call. All threads call.
LLCUDA_DEVICE bool arriveLast(uint32_t* counter, uint32_t blocks) {
  LLCUDA_SHARED(uint32_t, isLast, 1);
  syncThreads(); // the writes of the block come before the fence of its first thread
  if (threadIdx.x == 0) {
    threadFence(); // and so before its arrival
    const bool last = atomicAddU32(counter, 1) == blocks - 1;
    if (last)
      *counter = 0; // everyone has arrived: nobody counts any more in this launch
    threadFence();  // what the block reads comes after the arrivals of the others
    isLast[0] = last ? 1 : 0;
  }
  syncThreads();
  return isLast[0] != 0;
}

} // namespace llcuda
