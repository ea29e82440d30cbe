// SPDX-License-Identifier: Apache-2.0
// y[i] = cap * tanh(x[i] / cap)
//
//   launch    grid (ceil(kShape.elements / kShape.threads)), block (kShape.threads): codegen/spec/elementwise_spec.cpp
//   x, y      kShape.elements elements, f32; y may be x
//   numerics  within 2^-20 cap of the formula
#pragma once

#include "codegen/kernels/block/row_shape.cuh"
#include "codegen/kernels/ptx/math.cuh"

namespace llcuda {

/// cap * tanh(x / cap), within 2^-20 cap; cap is positive.
LLCUDA_DEVICE float softcapped(float x, float cap) {
  return cap - 2.f * cap * sigmoidFast(x * (-2.f / cap));
}

template <FlatShape kShape>
LLCUDA_DEVICE void softcap(const float* x, float* y, float cap) {
  const int i = blockIdx.x * kShape.threads + threadIdx.x;
  if (i < kShape.elements)
    y[i] = softcapped(x[i], cap);
}

} // namespace llcuda
