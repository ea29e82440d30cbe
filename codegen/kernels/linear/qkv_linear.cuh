// SPDX-License-Identifier: Apache-2.0
// q, k, v = the three linears of x (+ biases) for 1 ... 8 rows
//
//   weights, x, biases, low, launch, numerics   decode_linear.cuh; blobs of qN x k and kvN x k, each in its layout
//   q, k, v   [m][rows of the weight] f32
#pragma once

#include "codegen/kernels/linear/linear.cuh"

namespace llcuda {

template <QkvWeights kWeights, QkvLinearShape kShape, DecodeCut kCut, LinearParts kParts, int kLowRank = 0>
LLCUDA_DEVICE void qkvLinear(const uint8_t* qWeight, const uint8_t* kWeight, const uint8_t* vWeight, const float* x,
                             const int8_t* xCodes, const float2* xScales, const float* qBias, const float* kRowBias,
                             const float* vBias, float* q, float* k, float* v, const LowRank& low = {}) {
  decodeLinear<kCut, kLowRank>(
      QkvParts<kWeights, kShape>{{qWeight, kWeight, vWeight}, {qBias, kRowBias, vBias}, {q, k, v}},
      {x, xCodes, xScales}, StoreRows<kParts>{nullptr}, low);
}

} // namespace llcuda
