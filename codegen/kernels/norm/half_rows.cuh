// SPDX-License-Identifier: Apache-2.0
// f32 rows to f16 rows in the order of fragments: each row times a power of two, rounded
//
//   launch    grid (rows), block (kShape.threads); numbers from codegen/spec/rows_spec.cpp
//   x         [rows][columns] f32, 16-byte aligned; columns are a multiple of 32
//   halves    f16 rows of codegen/formats/half_rows.h
//   scales    [rows] f32
//   numerics  11 bits of what is above 2^-29 of a row's largest element; bit for bit codegen/reference/half_rows.h
//   sm_75     16-byte loads, each element read once where registers hold a row
#pragma once

#include "codegen/kernels/block/half_row.cuh"
#include "codegen/kernels/block/quantize_row.cuh"
#include "codegen/kernels/block/reduce.cuh"
#include "codegen/kernels/block/row_shape.cuh"
#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

/// Row `row` of the result, from the elements at `x`. All threads call.
template <RowShape kShape>
LLCUDA_DEVICE void halfRow(const float* x, unsigned row, uint8_t* halves, float* scales) {
  constexpr int kFours = kShape.columns / 4;
  constexpr int kPasses = (kFours + kShape.threads - 1) / kShape.threads;
  constexpr bool kKeep = kPasses <= 8;
  const float4* const fours = reinterpret_cast<const float4*>(x);

  float4 kept[kKeep ? kPasses : 1];
  float peak = 0.f;
  LLCUDA_UNROLL
  for (int p = 0; p < kPasses; ++p) {
    const int i = p * kShape.threads + static_cast<int>(threadIdx.x);
    const float4 v = i < kFours ? loadReadOnly(fours + i) : make_float4(0.f, 0.f, 0.f, 0.f);
    peak = maxOf(peak, peakOf(v));
    if (kKeep)
      kept[p] = v;
  }
  const HalfScale scale = halfScaleFor(blockMax<kShape.threads>(peak));
  uint8_t* const to = halves + halvesOfRow(row, kShape.columns);
  LLCUDA_UNROLL
  for (int p = 0; p < kPasses; ++p) {
    const int i = p * kShape.threads + static_cast<int>(threadIdx.x);
    if (i >= kFours)
      break;
    const float4 v = kKeep ? kept[kKeep ? p : 0] : loadReadOnly(fours + i);
    storeHalves(to, i, v, scale.up);
  }
  if (threadIdx.x == 0)
    scales[row] = scale.down;
}

template <RowShape kShape>
LLCUDA_DEVICE void halfRows(const float* x, uint8_t* halves, float* scales) {
  halfRow<kShape>(x + static_cast<int64_t>(blockIdx.x) * kShape.columns, blockIdx.x, halves, scales);
}

} // namespace llcuda
