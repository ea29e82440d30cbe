// SPDX-License-Identifier: Apache-2.0
// y[i] = a[i] + b[i]
//
//   launch    grid (ceil(kShape.elements / 4 / kShape.threads)), block (kShape.threads):
//             codegen/spec/elementwise_spec.cpp
//   a, b, y   f32, 16-byte aligned, kShape.elements elements, a multiple of 4; y may be a or b
#pragma once

#include "codegen/kernels/base/device.cuh"
#include "codegen/kernels/block/row_shape.cuh"

namespace llcuda {

template <FlatShape kShape>
LLCUDA_DEVICE void add(const float* a, const float* b, float* y) {
  const int i = blockIdx.x * kShape.threads + threadIdx.x;
  if (i >= kShape.elements / 4)
    return;
  const float4 u = reinterpret_cast<const float4*>(a)[i], v = reinterpret_cast<const float4*>(b)[i];
  reinterpret_cast<float4*>(y)[i] = make_float4(u.x + v.x, u.y + v.y, u.z + v.z, u.w + v.w);
}

} // namespace llcuda
