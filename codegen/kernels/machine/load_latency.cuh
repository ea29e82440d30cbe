// SPDX-License-Identifier: Apache-2.0
// Follows a chain of words, each of which says where the next one is: how long a load takes that nothing hides.
//
//   launch    grid (1), block (32); all lanes follow the same chain
//   steps     [1]
//   next      [n] below n; from shared memory: kSharedChainWords of them, copied there first
//   results   [32] where the chain ends that begins at 0
//   cycles    [1] of all steps
#pragma once

#include "codegen/kernels/machine/machine_units.h"
#include "codegen/kernels/ptx/clock.cuh"
#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

template <MachineLevel kLevel>
LLCUDA_DEVICE void loadLatency(const uint32_t* steps, const uint32_t* next, uint32_t* results, uint64_t* cycles) {
  constexpr bool kFromShared = kLevel == MachineLevel::kShared;
  LLCUDA_SHARED(uint32_t, copies, kFromShared ? kSharedChainWords : 4);
  if constexpr (kFromShared)
    for (int w = threadIdx.x; w < kSharedChainWords; w += 32) copies[w] = next[w];
  const uint32_t count = *steps;
  uint32_t at = 0;
  syncThreads();
  const uint64_t start = clockCycles();
  LLCUDA_NO_UNROLL
  for (uint32_t step = 0; step < count; ++step) at = kFromShared ? copies[at] : loadCoherent(next + at);
  results[threadIdx.x] = at;
  syncThreads();
  const uint64_t end = clockCycles();
  if (threadIdx.x == 0)
    *cycles = end - start;
}

} // namespace llcuda
