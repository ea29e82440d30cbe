// SPDX-License-Identifier: Apache-2.0
// One block normalises one row: x[c] / sqrt(mean(x^2) + eps) * scale[c]. The row stays in registers between its two
// uses.
#pragma once

#include "codegen/kernels/block/emit_row.cuh"
#include "codegen/kernels/block/reduce.cuh"
#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

/// `load(i)` gives elements 4i ... 4i + 3 as float4. kColumns is a multiple of 32. All threads of the block call.
template <int kColumns, int kThreads, typename Output, typename Load>
LLCUDA_DEVICE void normRow(Load load, const float* scale, float eps, const Output& output) {
  static_assert(kColumns % kRowBlock == 0, "rows are whole blocks of int8 rows");
  constexpr int kFours = kColumns / 4;
  constexpr int kPasses = (kFours + kThreads - 1) / kThreads;

  float4 v[kPasses];
  float sum = 0.f;
  LLCUDA_UNROLL
  for (int p = 0; p < kPasses; ++p) {
    const int i = p * kThreads + threadIdx.x;
    v[p] = i < kFours ? load(i) : make_float4(0.f, 0.f, 0.f, 0.f);
    sum += v[p].x * v[p].x + v[p].y * v[p].y + (v[p].z * v[p].z + v[p].w * v[p].w);
  }
  const float inverse = rsqrtFast(blockSum<kThreads>(sum) * (1.f / kColumns) + eps); // its barriers let y be x

  LLCUDA_UNROLL
  for (int p = 0; p < kPasses; ++p) {
    const int i = p * kThreads + threadIdx.x;
    const bool valid = i < kFours;
    const float4 s = loadReadOnly(reinterpret_cast<const float4*>(scale) + (valid ? i : 0));
    output.store(
        i, make_float4(v[p].x * inverse * s.x, v[p].y * inverse * s.y, v[p].z * inverse * s.z, v[p].w * inverse * s.w),
        valid);
  }
}

} // namespace llcuda
