// SPDX-License-Identifier: Apache-2.0
// y[r][c] = x[p][c] / sqrt(mean(x[p]^2) + eps) * scale[c], where p is r, or pick[r]; a row picked as -1 becomes zeros
//
//   launch    grid (rows of the result), block (kShape.threads); numbers from codegen/spec/rows_spec.cpp
//   x         [rows][columns] f32, 16-byte aligned; y may be x unless rows are picked
//   scale     [columns] f32, 16-byte aligned
//   output    f32 rows, int8 rows, f16 rows, or several of them
//   numerics  f32 sums, rsqrt within 2 ulp: NMSE against codegen/reference/rms_norm.h below 1e-12
//   sm_75     16-byte loads, each element read once
#pragma once

#include "codegen/kernels/block/row_shape.cuh"
#include "codegen/kernels/norm/norm_rows.cuh"

namespace llcuda {

template <RowShape kShape, RowForms kForms>
LLCUDA_DEVICE void rmsNorm(const float* x, const float* scale, const int* pick, float* y, int8_t* codes, float2* scales,
                           float eps, uint8_t* halves = nullptr, float* halfScales = nullptr) {
  constexpr int kColumns = kShape.columns;
  const int row = blockIdx.x;
  const int from = kShape.picked ? pick[row] : row;
  const float4* fours = reinterpret_cast<const float4*>(x + static_cast<int64_t>(from) * kColumns);
  const auto load = [&](int, int i) { return from >= 0 ? fours[i] : make_float4(0.f, 0.f, 0.f, 0.f); };
  const RowOutput<kForms> output = {y, codes, scales, halves, halfScales};
  normRows<kColumns, kShape.threads, 1>(load, scale, eps, output.row(row, kColumns));
}

} // namespace llcuda
