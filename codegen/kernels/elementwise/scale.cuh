// SPDX-License-Identifier: Apache-2.0
// y[i] = x[i] * factor
//
//   launch    grid (ceil(kCount / kThreads)), block (kThreads): codegen/spec/elementwise_spec.cpp
//   x, y      kCount elements, f32; y may be x
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

template <int kCount, int kThreads>
LLCUDA_DEVICE void scale(const float* x, float* y, float factor) {
  const int i = blockIdx.x * kThreads + threadIdx.x;
  if (i < kCount)
    y[i] = x[i] * factor;
}

} // namespace llcuda
