// SPDX-License-Identifier: Apache-2.0
// y[r] = weight[tokens[r]] * scale; a token outside the vocabulary gives a row of zeros
//
//   launch    grid (rows), block (kThreads); numbers from codegen/spec/rows_spec.cpp
//   weight    blob of kVocabulary x kColumns
//   y         [rows][kColumns] f32, 16-byte aligned
//   numerics  one rounding for each product and sum of the encoding's formula, then one for scale
#pragma once

#include "codegen/kernels/linear/weights.cuh"

namespace llcuda {

template <WeightLayout kLayout, int kColumns, int kVocabulary, int kThreads>
LLCUDA_DEVICE void embedding(const uint8_t* weight, const int* tokens, float* y, float scale) {
  const int row = blockIdx.x;
  const int token = tokens[row];
  const bool known = token >= 0 && token < kVocabulary;
  const WeightPlanes planes = planesFrom<kLayout, kColumns>(weight, kVocabulary, known ? token : 0);
  float4* to = reinterpret_cast<float4*>(y + row * kColumns);
  for (int i = threadIdx.x; i < kColumns / 4; i += kThreads) {
    float4 v = make_float4(0.f, 0.f, 0.f, 0.f);
    if (known)
      v = WeightTraits<kLayout, kColumns>::four(planes, 0, 4 * i);
    to[i] = make_float4(v.x * scale, v.y * scale, v.z * scale, v.w * scale);
  }
}

} // namespace llcuda
