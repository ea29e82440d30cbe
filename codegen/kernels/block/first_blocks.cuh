// SPDX-License-Identifier: Apache-2.0
// The first blocks of a launch make something that the others wait for, each when it needs it.
#pragma once

#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

/// Two words that are zero before and after the launch. A GPU begins blocks in the order of the grid: whoever waits
/// holds no multiprocessor that those before it lack.
struct FirstBlocks {
  uint32_t* counts;
  uint32_t makers, waiters; ///< blocks of the launch: the first ones, and all others

  /// What the block has written to device memory is there for the others. All threads of a maker call.
  LLCUDA_DEVICE void announce() const {
    syncThreads(); // the writes of the block come before the fence of its first thread
    if (threadIdx.x != 0)
      return;
    threadFence();
    atomicAddU32(counts, 1);
  }

  /// After it the warp may read by loadCoherent what the makers have written. All lanes call.
  LLCUDA_DEVICE void await() const {
    if (laneId() == 0)
      waitForCount(counts, makers);
    syncWarp();
  }

  /// No warp of the block waits any more. One thread of each waiter calls.
  LLCUDA_DEVICE void leave() const {
    if (atomicAddU32(counts + 1, 1) != waiters - 1)
      return;
    counts[0] = 0;
    counts[1] = 0;
  }
};

} // namespace llcuda
