// SPDX-License-Identifier: Apache-2.0
// Where and when blocks with 32 KiB of shared memory run: how many of them a multiprocessor holds at a time.
//
//   launch    any grid; block (kThreads)
//   turns     [1] of a loop that takes longer than blocks need to begin
//   results   [blocks][kThreads] what the neighbour wrote to shared memory, and the turns
//   places    [blocks][3] the multiprocessor, its cycle when the block began, and when it ended
#pragma once

#include "codegen/kernels/machine/machine_units.h"
#include "codegen/kernels/ptx/clock.cuh"

namespace llcuda {

template <int kThreads>
LLCUDA_DEVICE void residence(const uint32_t* turns, uint32_t* results, uint64_t* places) {
  LLCUDA_SHARED(uint32_t, words, kResidentWords);
  const uint64_t start = clockCycles();
  const uint32_t count = *turns;
  uint32_t value = threadIdx.x;
  LLCUDA_NO_UNROLL
  for (uint32_t turn = 0; turn < count; ++turn) value = value * kMachineFactor + 1; // one after the other
  words[(kResidentWords / kThreads) * threadIdx.x] = value;
  syncThreads();
  results[blockIdx.x * kThreads + threadIdx.x] = words[(kResidentWords / kThreads) * ((threadIdx.x + 1) % kThreads)];
  syncThreads();
  const uint64_t end = clockCycles();
  if (threadIdx.x == 0) {
    places[blockIdx.x * 3] = multiprocessorId();
    places[blockIdx.x * 3 + 1] = start;
    places[blockIdx.x * 3 + 2] = end;
  }
}

/// Nothing: what a launch takes by itself.
template <int kThreads>
LLCUDA_DEVICE void emptyLaunch(const uint32_t*) {}

} // namespace llcuda
