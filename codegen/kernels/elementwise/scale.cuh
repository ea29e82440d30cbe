// SPDX-License-Identifier: Apache-2.0
// y[i] = x[i] * factor
//
//   launch    grid (ceil(kShape.elements / kShape.threads)), block (kShape.threads): codegen/spec/elementwise_spec.cpp
//   x, y      kShape.elements elements, f32; y may be x
#pragma once

#include "codegen/kernels/base/device.cuh"
#include "codegen/kernels/block/row_shape.cuh"

namespace llcuda {

template <FlatShape kShape>
LLCUDA_DEVICE void scale(const float* x, float* y, float factor) {
  const int i = blockIdx.x * kShape.threads + threadIdx.x;
  if (i < kShape.elements)
    y[i] = x[i] * factor;
}

} // namespace llcuda
