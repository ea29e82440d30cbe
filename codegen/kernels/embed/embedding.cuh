// SPDX-License-Identifier: Apache-2.0
// y[r] = weight[tokens[r]] * scale; a token outside the vocabulary gives a row of zeros
//
//   launch    grid (rows), block (kShape.threads); numbers from codegen/spec/rows_spec.cpp
//   weight    blob of vocabulary x columns
//   y         [rows][columns] f32, 16-byte aligned
//   numerics  one rounding for each product and sum of the encoding's formula, then one for scale
#pragma once

#include "codegen/kernels/linear/weights.cuh"

namespace llcuda {

/// The table, and how its rows are read.
struct EmbeddingShape {
  WeightLayout layout;
  int vocabulary; ///< rows of the table
  int columns;
  int threads; ///< of a block
};

template <EmbeddingShape kShape>
LLCUDA_DEVICE void embedding(const uint8_t* weight, const int* tokens, float* y, float scale) {
  constexpr int kColumns = kShape.columns;
  const int row = blockIdx.x;
  const int token = tokens[row];
  const bool known = token >= 0 && token < kShape.vocabulary;
  const WeightPlanes planes = planesOf<kShape.layout, kColumns>(weight, kShape.vocabulary);
  float4* to = reinterpret_cast<float4*>(y + row * kColumns);
  for (int i = threadIdx.x; i < kColumns / 4; i += kShape.threads) {
    float4 v = make_float4(0.f, 0.f, 0.f, 0.f);
    if (known)
      v = fourOf<WeightTraits<kShape.layout, kColumns>>(planes, token, 4 * i);
    to[i] = make_float4(v.x * scale, v.y * scale, v.z * scale, v.w * scale);
  }
}

} // namespace llcuda
