// SPDX-License-Identifier: Apache-2.0
// Reductions over the threads of a block. Every thread calls and gets the result; the order of a sum is fixed. A call
// ends with a barrier: what was written before it may be read after it, and two calls in a row are safe.
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

/// Sums element by element.
template <int kThreads, int kCount>
LLCUDA_DEVICE void blockSum(float (&values)[kCount]) {
  static_assert(kThreads % kWarpSize == 0 && kThreads <= 1024, "whole warps");
  constexpr int kWarps = kThreads / kWarpSize;
  LLCUDA_SHARED(float, partials, kWarps* kCount);
  warpSum(values);
  LLCUDA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    if (laneId() == 0)
      partials[i * kWarps + warpId()] = values[i];
  }
  syncThreads();
  LLCUDA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    values[i] = partials[i * kWarps];
    LLCUDA_UNROLL
    for (int w = 1; w < kWarps; ++w) values[i] += partials[i * kWarps + w];
  }
  syncThreads();
}

template <int kThreads>
LLCUDA_DEVICE float blockSum(float value) {
  float values[1] = {value};
  blockSum<kThreads>(values);
  return values[0];
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
