// SPDX-License-Identifier: Apache-2.0
// y[r] = sum over j of weights[r][j] * x[choices r + j], in the order of j
//
//   launch    grid (ceil(columns / 4 / threads), rows), block (threads): codegen/spec/expert_spec.cpp
//   x         [rows * choices][columns] f32, 16-byte aligned; columns are a multiple of 4
//   weights   [rows][choices] f32
//   y         [rows][columns] f32, 16-byte aligned; not x
//   numerics  one rounding for each multiply-add
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

struct ExpertSumShape {
  int choices, columns;
  int threads; ///< of a block
};

template <ExpertSumShape kShape>
LLCUDA_DEVICE void expertSum(const float* x, const float* weights, float* y) {
  constexpr int kFours = kShape.columns / 4;
  static_assert(kShape.columns % 4 == 0, "rows are read as float4");
  const int row = blockIdx.y, four = static_cast<int>(blockIdx.x) * kShape.threads + static_cast<int>(threadIdx.x);
  if (four >= kFours)
    return;
  const float4* from = reinterpret_cast<const float4*>(x) + static_cast<int64_t>(row) * kShape.choices * kFours + four;
  float4 sum = make_float4(0.f, 0.f, 0.f, 0.f);
  LLCUDA_UNROLL
  for (int j = 0; j < kShape.choices; ++j) {
    const float4 v = from[j * kFours];
    const float w = weights[row * kShape.choices + j];
    sum = make_float4(fusedMultiplyAdd(w, v.x, sum.x), fusedMultiplyAdd(w, v.y, sum.y), fusedMultiplyAdd(w, v.z, sum.z),
                      fusedMultiplyAdd(w, v.w, sum.w));
  }
  reinterpret_cast<float4*>(y)[static_cast<int64_t>(row) * kFours + four] = sum;
}

} // namespace llcuda
