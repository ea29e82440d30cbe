// SPDX-License-Identifier: Apache-2.0
// y[o] = the sum of rows of x that follow one another, as pool[o] says; zeros of none
//
//   launch    grid (blocks of kShape.threads columns, four a thread; rows of y): codegen/spec/elementwise_spec.cpp
//   x, y      rows of kShape.columns f32, a multiple of 4, 16-byte aligned; y is not x
//   pool      [rows of y][2]: the first row of x and how many
//   numerics  f32, in the order of the rows
#pragma once

#include "codegen/kernels/block/row_shape.cuh"
#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

template <RowShape kShape>
LLCUDA_DEVICE void sumRows(const float* x, const int* pool, float* y) {
  constexpr int kColumns = kShape.columns;
  static_assert(kColumns % 4 == 0, "rows are read as float4");
  const int four = static_cast<int>(blockIdx.x) * kShape.threads + static_cast<int>(threadIdx.x);
  if (four >= kColumns / 4)
    return;
  const int output = static_cast<int>(blockIdx.y), first = pool[2 * output], count = pool[2 * output + 1];
  const float4* row = reinterpret_cast<const float4*>(x + static_cast<int64_t>(first) * kColumns) + four;
  float4 sum = make_float4(0.f, 0.f, 0.f, 0.f);
  for (int i = 0; i < count; ++i, row += kColumns / 4) {
    const float4 v = loadReadOnly(row);
    sum.x += v.x, sum.y += v.y, sum.z += v.z, sum.w += v.w;
  }
  reinterpret_cast<float4*>(y + static_cast<int64_t>(output) * kColumns)[four] = sum;
}

} // namespace llcuda
