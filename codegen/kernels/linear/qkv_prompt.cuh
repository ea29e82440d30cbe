// SPDX-License-Identifier: Apache-2.0
// q, k, v = the three linears of x (+ biases) for many rows, by tensor cores, in one launch
//
//   launch     grid (ceil(m / rows of a tile), tiles of q, then of k, then of v), block PromptTile::kThreads; numbers
//              from codegen/spec/linear_prompt_spec.cpp
//   weights    blobs of qN x k and kvN x k, each in its layout; none is f32_rows
//   inputs, positions, numerics   as linear_prompt
//   q, k, v    f32 [m][qN] and [m][kvN], 8-byte aligned
//   sm_75      small k and v fill the last wave of q's blocks
#pragma once

#include "codegen/kernels/linear/linear_prompt.cuh"

namespace llcuda {

/// A weight, where its product goes, and the first column of the block's tile.
struct PromptPart {
  const uint8_t* weight;
  PromptOutput output;
  int firstColumn = 0;
};

/// Makes the block's tile of the part. All threads call.
template <WeightLayout kLayout, int kK, typename Tile>
LLCUDA_DEVICE void promptProduct(const PromptPart& part, const PromptRows& input, uint4* shared) {
  TileSums<Tile> sums = {};
  const OneWeight<Tile> weights = {part.weight, part.output.columns, part.firstColumn};
  if (tileSums<kLayout, kK, Tile>(input, weights, shared, sums))
    part.output.storeTile(input.rows, part.firstColumn, sums);
}

/// Parts of one layout share their code: what differs between them is data. Rows and outputs are variables here, so
/// that tests compile layouts and a tile once.
template <QkvWeights kWeights, int kK, typename Tile>
LLCUDA_DEVICE void qkvPromptOf(const PromptRows& input, const int* positions, const PromptPart& q, const PromptPart& k,
                               const PromptPart& v) {
  const int qTiles = ceilDivide(q.output.columns, Tile::kColumns),
            kTiles = ceilDivide(k.output.columns, Tile::kColumns);
  constexpr int kQVectors = tileVectors<kWeights.q, kK, Tile>(), kKVectors = tileVectors<kWeights.k, kK, Tile>();
  constexpr int kVVectors = tileVectors<kWeights.v, kK, Tile>();
  constexpr int kQkVectors = kQVectors > kKVectors ? kQVectors : kKVectors;
  LLCUDA_SHARED(uint4, shared, (kQkVectors > kVVectors ? kQkVectors : kVVectors));
  if (!anyRow<Tile>(positions, input.rows))
    return;
  const int tile = static_cast<int>(blockIdx.y);
  const bool isV = tile >= qTiles + kTiles, isK = !isV && tile >= qTiles;
  PromptPart part = {q.weight, q.output, tile * Tile::kColumns};
  if (isV)
    part = {v.weight, v.output, (tile - qTiles - kTiles) * Tile::kColumns};
  else if (isK)
    part = {k.weight, k.output, (tile - qTiles) * Tile::kColumns};
  if (kWeights.k != kWeights.q && isK)
    promptProduct<kWeights.k, kK, Tile>(part, input, shared);
  else if (kWeights.v != kWeights.q && isV)
    promptProduct<kWeights.v, kK, Tile>(part, input, shared);
  else
    promptProduct<kWeights.q, kK, Tile>(part, input, shared);
}

template <QkvWeights kWeights, QkvLinearShape kShape, PromptCut kCut>
LLCUDA_DEVICE void qkvPrompt(const uint8_t* qWeight, const uint8_t* kWeight, const uint8_t* vWeight, const float* x,
                             const int8_t* xCodes, const float2* xScales, const uint8_t* xHalves,
                             const float* xHalfScales, const int* positions, const float* qBias, const float* kRowBias,
                             const float* vBias, float* q, float* k, float* v) {
  qkvPromptOf<kWeights, kShape.k, PromptTile<kCut>>(
      {{x, xCodes, xScales}, {xHalves, xHalfScales}, kShape.m}, positions, {qWeight, {qBias, nullptr, q, kShape.qN}},
      {kWeight, {kRowBias, nullptr, k, kShape.kvN}}, {vWeight, {vBias, nullptr, v, kShape.kvN}});
}

} // namespace llcuda
