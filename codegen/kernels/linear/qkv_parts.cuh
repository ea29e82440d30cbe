// SPDX-License-Identifier: Apache-2.0
// Blocks of a launch over the query, key and value weights of a layer: first those of q, then of k, then of v.
#pragma once

#include "codegen/kernels/linear/decode_rows.cuh"

namespace llcuda {

/// One of the three linears.
struct QkvPart {
  enum Role { kQ, kK, kV };
  Role role;
  const uint8_t* weight;
  const float* bias; ///< or null
  int rows;          ///< of the weight
  int block;         ///< of the part
};

/// The part that block `block` of the launch works on. Pointers are of q, k and v.
template <typename Rows, typename Tile>
LLCUDA_DEVICE QkvPart qkvPartOf(int block, const uint8_t* const (&weights)[3], const float* const (&biases)[3]) {
  constexpr int kQBlocks = ceilDivide(Rows::kQRows, Tile::kBlockRows);
  constexpr int kKvBlocks = ceilDivide(Rows::kKvRows, Tile::kBlockRows);
  if (block >= kQBlocks + kKvBlocks)
    return {QkvPart::kV, weights[2], biases[2], Rows::kKvRows, block - kQBlocks - kKvBlocks};
  if (block >= kQBlocks)
    return {QkvPart::kK, weights[1], biases[1], Rows::kKvRows, block - kQBlocks};
  return {QkvPart::kQ, weights[0], biases[0], Rows::kQRows, block};
}

/// Calls f.template operator()<layout of the role>(). Parts of one layout share their code: what differs between them
/// is data.
template <QkvWeights kWeights, typename F>
LLCUDA_DEVICE void withLayoutOf(QkvPart::Role role, F f) {
  if (kWeights.k != kWeights.q && role == QkvPart::kK)
    f.template operator()<kWeights.k>();
  else if (kWeights.v != kWeights.q && role == QkvPart::kV)
    f.template operator()<kWeights.v>();
  else
    f.template operator()<kWeights.q>();
}

/// The group's sums for the rows of its part, without the bias.
template <WeightLayout kLayout, int kK, int kM, typename Tile, typename Sums>
LLCUDA_DEVICE void multiplyPart(const QkvPart& part, const GroupRows& rows, const InputRows& inputs, Sums& sums) {
  const WeightPlanes planes[1] = {planesFrom<kLayout, kK>(part.weight, part.rows, rows.first)};
  multiplyRows<kLayout, kK, Tile, kM>(planes, inputs, sums.all);
  sums.reduce();
}

} // namespace llcuda
