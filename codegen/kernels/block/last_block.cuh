// SPDX-License-Identifier: Apache-2.0
// The last of a group of blocks to arrive finishes what the group began.
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

/// True in every thread of the block that is the last of `blocks` to arrive at `counter`, which it sets back to zero.
/// That block may then read by loadCoherent what the others wrote to device memory before their call. All threads call.
LLCUDA_DEVICE bool arriveLast(uint32_t* counter, uint32_t blocks) {
  LLCUDA_SHARED(uint32_t, isLast, 1);
  threadFence(); // this thread's writes come before the arrival of its block
  syncThreads();
  if (threadIdx.x == 0) {
    const bool last = atomicAddU32(counter, 1) == blocks - 1;
    if (last)
      *counter = 0; // everyone has arrived: nobody counts any more in this launch
    isLast[0] = last ? 1 : 0;
  }
  syncThreads();
  const bool last = isLast[0] != 0;
  threadFence(); // the reads that follow come after the arrivals of the others
  syncThreads(); // isLast may be written again
  return last;
}

} // namespace llcuda
