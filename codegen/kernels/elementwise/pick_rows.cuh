// SPDX-License-Identifier: Apache-2.0
// y[r] = x[pick[r]]; a row picked as -1 becomes zeros
//
//   launch    grid (rows of y), block (kShape.threads): codegen/spec/elementwise_spec.cpp
//   x, y      rows of kShape.columns f32, a multiple of 4, 16-byte aligned; y is not x
#pragma once

#include "codegen/kernels/block/row_shape.cuh"
#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

template <RowShape kShape>
LLCUDA_DEVICE void pickRows(const float* x, const int* pick, float* y) {
  constexpr int kColumns = kShape.columns;
  static_assert(kColumns % 4 == 0, "rows are read as float4");
  const int row = blockIdx.x, from = pick[row];
  const float4* source = reinterpret_cast<const float4*>(x + static_cast<int64_t>(from) * kColumns);
  float4* target = reinterpret_cast<float4*>(y + static_cast<int64_t>(row) * kColumns);
  for (int i = threadIdx.x; i < kColumns / 4; i += kShape.threads)
    target[i] = from < 0 ? make_float4(0.f, 0.f, 0.f, 0.f) : loadReadOnly(source + i);
}

} // namespace llcuda
