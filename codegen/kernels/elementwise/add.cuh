// SPDX-License-Identifier: Apache-2.0
// y[i] = a[i] + b[i]
//
//   launch    grid (ceil(kFours / kThreads)), block (kThreads): codegen/spec/elementwise_spec.cpp
//   a, b, y   f32, 16-byte aligned, 4 * kFours elements; y may be a or b
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

template <int kFours, int kThreads>
LLCUDA_DEVICE void add(const float* a, const float* b, float* y) {
  const int i = blockIdx.x * kThreads + threadIdx.x;
  if (i >= kFours)
    return;
  const float4 u = reinterpret_cast<const float4*>(a)[i], v = reinterpret_cast<const float4*>(b)[i];
  reinterpret_cast<float4*>(y)[i] = make_float4(u.x + v.x, u.y + v.y, u.z + v.z, u.w + v.w);
}

} // namespace llcuda
