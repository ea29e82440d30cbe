// SPDX-License-Identifier: Apache-2.0
// Reads an array several times, past the L1 cache, with four loads of 16 bytes of each thread under way.
//
//   launch    any grid; block (kThreads)
//   sizes     [2] vectors of 16 bytes, a multiple of 4 x grid x kThreads; times that all are read
//   data      [vectors] 16-byte aligned
//   results   [blocks][kThreads] the sum of all words that the thread read
//   cycles    [blocks] from the first thread's begin to the last one's end
#pragma once

#include "codegen/kernels/ptx/clock.cuh"
#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

template <int kThreads>
LLCUDA_DEVICE void memoryRead(const uint32_t* sizes, const uint4* data, uint32_t* results, uint64_t* cycles) {
  const uint32_t vectors = sizes[0], times = sizes[1];
  const uint32_t all = gridDim.x * kThreads, own = blockIdx.x * kThreads + threadIdx.x;
  uint32_t sum = 0;
  syncThreads();
  const uint64_t start = clockCycles();
  LLCUDA_NO_UNROLL
  for (uint32_t time = 0; time < times; ++time) {
    LLCUDA_NO_UNROLL
    for (uint32_t v = own; v < vectors; v += 4 * all) {
      uint4 four[4];
      LLCUDA_UNROLL
      for (uint32_t i = 0; i < 4; ++i) four[i] = loadCoherent(data + v + i * all);
      LLCUDA_UNROLL
      for (uint32_t i = 0; i < 4; ++i) sum += four[i].x + four[i].y + four[i].z + four[i].w;
    }
  }
  results[own] = sum;
  syncThreads();
  const uint64_t end = clockCycles();
  if (threadIdx.x == 0)
    cycles[blockIdx.x] = end - start;
}

} // namespace llcuda
