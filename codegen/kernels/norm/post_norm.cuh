// SPDX-License-Identifier: Apache-2.0
// sum[r] = residual[p] + rms_norm(x[p]) * postScale; normed[r] = rms_norm(sum[r]) * scale, where p is r, or pick[r]; a
// row picked as -1 becomes zeros. By a SumForm the sum is times a factor, and perhaps what is emitted
//
//   launch    grid (rows of the result), block (kShape.threads); numbers from codegen/spec/rows_spec.cpp
//   x, residual        [rows][columns] f32, 16-byte aligned
//   scale, postScale   [columns] f32, 16-byte aligned
//   sum       [rows of the result][columns] f32; may be x or residual unless rows are picked
//   output    the normed rows: f32 rows, int8 rows, or both
//   numerics  as rms_norm, twice
//   sm_75     16-byte loads; up to 8 x 4 x threads columns each element is read once
#pragma once

#include "codegen/kernels/block/row_shape.cuh"
#include "codegen/kernels/norm/norm_rows.cuh"

namespace llcuda {

template <RowShape kShape, RowForms kForms, SumForm kSum = SumForm{}>
LLCUDA_DEVICE void postNorm(const float* x, const float* residual, const float* postScale, const float* scale,
                            const int* pick, float* sum, float* y, int8_t* codes, float2* scales, float eps,
                            uint8_t* halves = nullptr, float* halfScales = nullptr) {
  constexpr int kColumns = kShape.columns;
  const int row = blockIdx.x;
  const int from = kShape.picked ? pick[row] : row;
  const auto rowOf = [&](const float* rows) {
    return [=](int, int i) {
      return from >= 0 ? reinterpret_cast<const float4*>(rows + static_cast<int64_t>(from) * kColumns)[i]
                       : make_float4(0.f, 0.f, 0.f, 0.f);
    };
  };
  const RowOutput<kForms> output = {y, codes, scales, halves, halfScales};
  postNormRows<kColumns, kShape.threads, 1, kSum>(rowOf(x), postScale, rowOf(residual), scale, eps,
                                                  sum + static_cast<int64_t>(row) * kColumns,
                                                  output.row(row, kColumns));
}

} // namespace llcuda
