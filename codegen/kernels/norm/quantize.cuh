// SPDX-License-Identifier: Apache-2.0
// f32 rows to int8 rows: d = max|x| / 127 over each 32 elements, codes round(x / d)
//
//   launch    grid (ceil(kShape.elements / 4 / kShape.threads)), block (kShape.threads)
//   x         f32, 16-byte aligned, kShape.elements elements: rows of a multiple of 32
//   numerics  a code may differ by 1 from codegen/reference/quantize_rows.h where x / d lies within 2^-21 of a tie
#pragma once

#include "codegen/kernels/block/quantize_row.cuh"
#include "codegen/kernels/block/row_shape.cuh"
#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

template <FlatShape kShape>
LLCUDA_DEVICE void quantize(const float* x, int8_t* codes, float2* scales) {
  const int i = blockIdx.x * kShape.threads + threadIdx.x;
  const bool valid = i < kShape.elements / 4;
  const float4 v = loadReadOnly(reinterpret_cast<const float4*>(x) + (valid ? i : 0));
  quantizeFour(v, valid, codes + 4 * i, scales + i / 8);
}

} // namespace llcuda
