// SPDX-License-Identifier: Apache-2.0
// q, k, v = the three linears of x (+ biases) for 1 ... 8 rows
//
//   launch    grid (blocks of q, then of k, then of v: qkv_parts.cuh), block (32 * kCut.warps):
//             codegen/spec/decode_tile.cpp
//   weights   blobs of Rows::kQRows x k and Rows::kKvRows x k, each in its layout
//   inputs    int8 rows, f32 rows or both, as the layouts read
//   q, k, v   [kM][rows of the weight] f32
//   numerics  as `linear`
#pragma once

#include "codegen/kernels/linear/linear.cuh"
#include "codegen/kernels/linear/qkv_parts.cuh"

namespace llcuda {

template <QkvLinearShape kShape>
struct QkvRows {
  static constexpr int kQRows = kShape.qN, kKvRows = kShape.kvN;
};

template <QkvWeights kWeights, QkvLinearShape kShape, DecodeCut kCut, LinearParts kParts>
LLCUDA_DEVICE void qkvLinear(const uint8_t* qWeight, const uint8_t* kWeight, const uint8_t* vWeight, const float* x,
                             const int8_t* xCodes, const float2* xScales, const float* qBias, const float* kRowBias,
                             const float* vBias, float* q, float* k, float* v) {
  using Tile = DecodeTile<kCut>;
  constexpr int kM = kShape.m;
  const QkvPart part =
      qkvPartOf<QkvRows<kShape>, Tile>(blockIdx.x, {qWeight, kWeight, vWeight}, {qBias, kRowBias, vBias});
  float* y = part.role == QkvPart::kQ ? q : part.role == QkvPart::kK ? k : v;
  withLayoutOf<kWeights>(part.role, [&]<WeightLayout kLayout>() {
    const GroupRows rows = groupRows<Tile>(part.block, 0, part.rows);
    GroupSums<Tile, kM> sums;
    float added[sums.kOwned] = {};
    if constexpr (kParts.bias)
      sums.forEach([&](int i, int r, int) { added[i] = loadReadOnly(part.bias + rows.first + r); });
    multiplyPart<kLayout, kShape.k, kM, Tile>(part, rows, {x, xCodes, xScales}, sums);
    sums.forOwned(rows.firstOwned, [&](int i, int r, int b) {
      y[b * part.rows + rows.first + r] = kParts.bias ? sums.own[i] + added[i] : sums.own[i];
    });
  });
}

} // namespace llcuda
