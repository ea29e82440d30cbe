// SPDX-License-Identifier: Apache-2.0
// Reductions over the threads of a block. Every thread calls and gets the result; the order of a sum is fixed. A call
// ends with a barrier: what was written before it may be read after it, and two calls in a row are safe.
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

template <int kThreads>
LLCUDA_DEVICE float blockSum(float value) {
  static_assert(kThreads % kWarpSize == 0 && kThreads <= 1024, "whole warps");
  constexpr int kWarps = kThreads / kWarpSize;
  LLCUDA_SHARED(float, partials, kWarps);
  value = warpSum(value);
  if (laneId() == 0)
    partials[warpId()] = value;
  syncThreads();
  float sum = 0.f;
  LLCUDA_UNROLL
  for (int w = 0; w < kWarps; ++w) sum += partials[w];
  syncThreads();
  return sum;
}

template <int kThreads>
LLCUDA_DEVICE float blockMax(float value) {
  static_assert(kThreads % kWarpSize == 0 && kThreads <= 1024, "whole warps");
  constexpr int kWarps = kThreads / kWarpSize;
  LLCUDA_SHARED(float, partials, kWarps);
  value = warpMax(value);
  if (laneId() == 0)
    partials[warpId()] = value;
  syncThreads();
  float highest = partials[0];
  LLCUDA_UNROLL
  for (int w = 1; w < kWarps; ++w) highest = maxOf(highest, partials[w]);
  syncThreads();
  return highest;
}

} // namespace llcuda
