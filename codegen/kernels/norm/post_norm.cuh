// SPDX-License-Identifier: Apache-2.0
// sum[r] = residual[p] + rms_norm(x[p]) * postScale; normed[r] = rms_norm(sum[r]) * scale, where p is r, or pick[r]; a
// row picked as -1 becomes zeros
//
//   launch    grid (rows of the result), block (kThreads); numbers from codegen/spec/rows_spec.cpp
//   x, residual        [rows][kColumns] f32, 16-byte aligned
//   scale, postScale   [kColumns] f32, 16-byte aligned
//   sum       [rows of the result][kColumns] f32; may be x or residual unless rows are picked
//   output    the normed rows: f32 rows, int8 rows, or both
//   numerics  as rms_norm, twice
//   sm_75     16-byte loads; up to 8 x 4 x kThreads columns each element is read once
#pragma once

#include "codegen/kernels/norm/norm_rows.cuh"

namespace llcuda {

template <int kColumns, int kThreads, bool kPick, bool kF32, bool kInt8>
LLCUDA_DEVICE void postNorm(const float* x, const float* residual, const float* postScale, const float* scale,
                            const int* pick, float* sum, float* y, int8_t* codes, float2* scales, float eps) {
  const int row = blockIdx.x;
  const int from = kPick ? pick[row] : row;
  const auto rowOf = [&](const float* rows) {
    return [=](int, int i) {
      return from >= 0 ? reinterpret_cast<const float4*>(rows + static_cast<int64_t>(from) * kColumns)[i]
                       : make_float4(0.f, 0.f, 0.f, 0.f);
    };
  };
  const RowOutput<kF32, kInt8> output = {y, codes, scales};
  postNormRows<kColumns, kThreads, 1>(rowOf(x), postScale, rowOf(residual), scale, eps,
                                      sum + static_cast<int64_t>(row) * kColumns, output.row(row, kColumns));
}

} // namespace llcuda
