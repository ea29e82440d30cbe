// SPDX-License-Identifier: Apache-2.0
// y[i] = cap * tanh(x[i] / cap)
//
//   launch    grid (ceil(kCount / kThreads)), block (kThreads): codegen/spec/elementwise_spec.cpp
//   x, y      kCount elements, f32; y may be x
//   numerics  within 2^-20 cap of the formula
#pragma once

#include "codegen/kernels/ptx/math.cuh"

namespace llcuda {

/// cap * tanh(x / cap), within 2^-20 cap; cap is positive.
LLCUDA_DEVICE float softcapped(float x, float cap) {
  return cap - 2.f * cap * sigmoidFast(x * (-2.f / cap));
}

template <int kCount, int kThreads>
LLCUDA_DEVICE void softcap(const float* x, float* y, float cap) {
  const int i = blockIdx.x * kThreads + threadIdx.x;
  if (i < kCount)
    y[i] = softcapped(x[i], cap);
}

} // namespace llcuda
