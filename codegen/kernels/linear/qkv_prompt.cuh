// SPDX-License-Identifier: Apache-2.0
// q, k, v = the three linears of x (+ biases) for many rows, by tensor cores, in one launch
//
//   launch     grid (ceil(m / rows of a tile), tiles of q, then of k, then of v), block PromptTile::kThreads; numbers
//              from codegen/spec/linear_prompt_spec.cpp
//   weights    blobs of qN x k and kvN x k, each in its layout; none is f32_rows
//   inputs, positions, numerics   as linear_prompt
//   q, k, v    f32 [m][qN] and [m][kvN], 8-byte aligned
//   low        as linear_prompt, of each part or null
//   sm_75      small k and v fill the last wave of q's blocks
#pragma once

#include "codegen/kernels/linear/linear_prompt.cuh"

namespace llcuda {

/// A weight, where its product goes, the b of what an adapter adds to it or null, and the first column of the block's
/// tile.
struct PromptPart {
  const uint8_t* weight;
  PromptOutput output;
  const uint8_t* lowWeight = nullptr;
  int firstColumn = 0;
};

/// Makes the block's tile of the part. All threads call.
template <WeightLayout kLayout, int kK, typename Tile, int kLowRank>
LLCUDA_DEVICE void promptProduct(const PromptPart& part, const PromptRows& input, const float* low, uint4* shared) {
  TileSums<Tile> sums = {};
  const OneWeight<Tile> weights = {part.weight, part.output.columns, part.firstColumn};
  if (!tileSums<kLayout, kK, Tile>(input, weights, shared, sums))
    return;
  if constexpr (kLowRank != 0) {
    if (part.lowWeight != nullptr)
      addLowRank<kLowRank>(low, input.rows, OneWeight<Tile>{part.lowWeight, part.output.columns, part.firstColumn},
                           sums);
  }
  part.output.storeTile(input.rows, part.firstColumn, sums);
}

/// Parts of one layout share their code: what differs between them is data. Rows and outputs are variables here, so
/// that tests compile layouts and a tile once.
template <QkvWeights kWeights, int kK, typename Tile, int kLowRank = 0>
LLCUDA_DEVICE void qkvPromptOf(const PromptRows& input, const int* positions, const PromptPart& q, const PromptPart& k,
                               const PromptPart& v, const float* low = nullptr) {
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
  PromptPart part = {q.weight, q.output, q.lowWeight, tile * Tile::kColumns};
  if (isV)
    part = {v.weight, v.output, v.lowWeight, (tile - qTiles - kTiles) * Tile::kColumns};
  else if (isK)
    part = {k.weight, k.output, k.lowWeight, (tile - qTiles) * Tile::kColumns};
  if (kWeights.k != kWeights.q && isK)
    promptProduct<kWeights.k, kK, Tile, kLowRank>(part, input, low, shared);
  else if (kWeights.v != kWeights.q && isV)
    promptProduct<kWeights.v, kK, Tile, kLowRank>(part, input, low, shared);
  else
    promptProduct<kWeights.q, kK, Tile, kLowRank>(part, input, low, shared);
}

template <QkvWeights kWeights, QkvLinearShape kShape, PromptCut kCut, int kLowRank = 0>
LLCUDA_DEVICE void qkvPrompt(const uint8_t* qWeight, const uint8_t* kWeight, const uint8_t* vWeight, const float* x,
                             const int8_t* xCodes, const float2* xScales, const uint8_t* xHalves,
                             const float* xHalfScales, const int* positions, const float* qBias, const float* kRowBias,
                             const float* vBias, float* q, float* k, float* v, const LowRank& low = {}) {
  qkvPromptOf<kWeights, kShape.k, PromptTile<kCut>, kLowRank>(
      {{x, xCodes, xScales}, {xHalves, xHalfScales}, kShape.m}, positions,
      {qWeight, {qBias, nullptr, q, kShape.qN}, low.weights[0]},
      {kWeight, {kRowBias, nullptr, k, kShape.kvN}, low.weights[1]},
      {vWeight, {vBias, nullptr, v, kShape.kvN}, low.weights[2]}, low.low);
}

} // namespace llcuda
