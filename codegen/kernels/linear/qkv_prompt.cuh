// SPDX-License-Identifier: Apache-2.0
// q, k, v = the three linears of x (+ biases) for many rows, by tensor cores, in one launch
//
//   launch     grid (ceil(rows / Tile::kRows), tiles of q, then of k, then of v), block Tile::kThreads; numbers from
//              codegen/spec/linear_prompt_spec.cpp
//   weights    blobs of qOutputs x kInputs and kvOutputs x kInputs, each in its layout; none is f32_rows
//   inputs, positions, numerics   as linear_prompt
//   q, k, v    f32 [rows][qOutputs] and [rows][kvOutputs], 8-byte aligned
//   sm_75      small k and v fill the last wave of q's blocks
#pragma once

#include "codegen/kernels/linear/linear_prompt.cuh"

namespace llcuda {

/// One of the three linears, as the block's number picks it.
struct QkvPromptPart {
  const uint8_t* weight;
  PromptOutput output;
  int firstColumn;
};

template <WeightLayout kLayout, int kInputs, typename Tile>
LLCUDA_DEVICE void qkvPromptPart(const QkvPromptPart& part, const PromptRows& input, uint4* shared) {
  TileSums<Tile> sums = {};
  const OneWeight<Tile> weights = {part.weight, part.output.columns, part.firstColumn};
  if (tileSums<kLayout, kInputs, Tile>(input, weights, shared, sums))
    part.output.storeTile(input.rows, part.firstColumn, sums);
}

/// Parts of one layout share their code: what differs between them is data.
template <WeightLayout kQ, WeightLayout kK, WeightLayout kV, int kInputs, typename Tile>
LLCUDA_DEVICE void qkvPrompt(int rows, int qOutputs, int kvOutputs, const uint8_t* qWeight, const uint8_t* kWeight,
                             const uint8_t* vWeight, const float* x, const int8_t* xCodes, const float2* xScales,
                             const int* positions, const float* qBias, const float* kRowBias, const float* vBias,
                             float* q, float* k, float* v) {
  const int qTiles = ceilDivide(qOutputs, Tile::kColumns), kvTiles = ceilDivide(kvOutputs, Tile::kColumns);
  constexpr int kQVectors = tileVectors<kQ, kInputs, Tile>(), kKVectors = tileVectors<kK, kInputs, Tile>();
  constexpr int kVVectors = tileVectors<kV, kInputs, Tile>();
  constexpr int kQkVectors = kQVectors > kKVectors ? kQVectors : kKVectors;
  LLCUDA_SHARED(uint4, shared, (kQkVectors > kVVectors ? kQkVectors : kVVectors));
  if (!anyRow<Tile>(positions, rows))
    return;
  const PromptRows input = {{x, xCodes, xScales}, rows};
  const int tile = static_cast<int>(blockIdx.y);
  const bool isV = tile >= qTiles + kvTiles, isK = !isV && tile >= qTiles;
  QkvPromptPart part = {qWeight, {qBias, nullptr, q, qOutputs}, tile * Tile::kColumns};
  if (isV)
    part = {vWeight, {vBias, nullptr, v, kvOutputs}, (tile - qTiles - kvTiles) * Tile::kColumns};
  else if (isK)
    part = {kWeight, {kRowBias, nullptr, k, kvOutputs}, (tile - qTiles) * Tile::kColumns};

  if (kK != kQ && isK)
    qkvPromptPart<kK, kInputs, Tile>(part, input, shared);
  else if (kV != kQ && isV)
    qkvPromptPart<kV, kInputs, Tile>(part, input, shared);
  else
    qkvPromptPart<kQ, kInputs, Tile>(part, input, shared);
}

} // namespace llcuda
