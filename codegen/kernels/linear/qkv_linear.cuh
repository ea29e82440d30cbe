// SPDX-License-Identifier: Apache-2.0
// q, k, v = the three linears of x (+ biases) for 1 ... 8 rows
//
//   launch    grid (blocks of q, then of k, then of v: qkv_parts.cuh), block (32 * Tile::kWarps):
//             codegen/spec/decode_tile.cpp
//   weights   blobs of Rows::kQRows x kColumns and Rows::kKvRows x kColumns, each in its layout
//   inputs    int8 rows, f32 rows or both, as the layouts read
//   q, k, v   [kInputs][rows of the weight] f32
//   numerics  as `linear`
#pragma once

#include "codegen/kernels/linear/qkv_parts.cuh"

namespace llcuda {

template <typename Rows, WeightLayout kQ, WeightLayout kK, WeightLayout kV, int kColumns, int kInputs, typename Tile,
          bool kBias>
LLCUDA_DEVICE void qkvLinear(const uint8_t* qWeight, const uint8_t* kWeight, const uint8_t* vWeight, const float* x,
                             const int8_t* xCodes, const float2* xScales, const float* qBias, const float* kRowBias,
                             const float* vBias, float* q, float* k, float* v) {
  const QkvPart part = qkvPartOf<Rows, Tile>(blockIdx.x, {qWeight, kWeight, vWeight}, {qBias, kRowBias, vBias});
  float* y = part.role == QkvPart::kQ ? q : part.role == QkvPart::kK ? k : v;
  withLayoutOf<kQ, kK, kV>(part.role, [&]<WeightLayout kLayout>() {
    const GroupRows rows = groupRows<Tile>(part.block, 0, part.rows);
    OwnedAddends<Tile, kInputs> added;
    if constexpr (kBias)
      added.load(rows.firstOwned, [&](int r, int) { return loadReadOnly(part.bias + rows.first + r); });
    float sums[Tile::kRows * kInputs] = {};
    multiplyPart<kLayout, kColumns, kInputs, Tile>(part, rows, {x, xCodes, xScales}, sums);
    forOwned<Tile, kInputs>(rows.firstOwned, [&](int r, int b) {
      const float product = sums[r * kInputs + b];
      y[b * part.rows + rows.first + r] = kBias ? product + added.of(r) : product;
    });
  });
}

} // namespace llcuda
