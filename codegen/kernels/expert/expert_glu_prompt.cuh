// SPDX-License-Identifier: Apache-2.0
// activation(gate) * up of many choices, gate and up being the products of expert_linear_prompt.cuh
//
//   launch    grid (tiles, ceil(2 * N / columns of a tile)), block PromptTile::kThreads: codegen/spec/expert_spec.cpp
//   gate, up  blobs of one layout, which is not f32_rows, with the N rows of each expert; N is a multiple of 32
//   inputs, tile_experts   as expert_linear_prompt
//   biases    [experts][N], both or null
//   output    f32 rows, int8 rows in the order of fragments, or both, in the order of the sorted choices; a tile
//             without an expert keeps what it held, and a row without a choice holds anything
//   numerics  as expert_linear_prompt and glu
#pragma once

#include "codegen/kernels/expert/expert_linear.cuh"
#include "codegen/kernels/expert/expert_tiles.cuh"
#include "codegen/kernels/glu/glu_linear_prompt.cuh"

namespace llcuda {

/// Adds biases of an expert to the sums of a tile whose columns are those of GatedWeights.
template <typename Tile>
LLCUDA_DEVICE void addGatedBiases(const float* gateBias, const float* upBias, int outputs, int firstColumn,
                                  TileSums<Tile>& sums) {
  constexpr int kHalf = Tile::kAcross / 2;
  float2 gates[kHalf] = {}, ups[kHalf] = {};
  TileSums<Tile>::template forEachPair<kHalf>([&](int, int column, int m, int n) {
    const int own = firstColumn + column - column / Tile::kWarpColumns * (Tile::kWarpColumns / 2);
    if (m != 0 || own >= outputs)
      return;
    gates[n] = loadReadOnly(reinterpret_cast<const float2*>(gateBias + own));
    ups[n] = loadReadOnly(reinterpret_cast<const float2*>(upBias + own));
  });
  LLCUDA_UNROLL
  for (int m = 0; m < Tile::kDown; ++m) {
    LLCUDA_UNROLL
    for (int n = 0; n < kHalf; ++n) {
      float(&gate)[2] = sums.at[m][n], (&up)[2] = sums.at[m][n + kHalf];
      gate[0] += gates[n].x, gate[1] += gates[n].y;
      up[0] += ups[n].x, up[1] += ups[n].y;
    }
  }
}

/// Tiles, experts and outputs are variables here, so that tests compile a layout and tile once.
template <WeightLayout kLayout, int kK, typename Tile, Activation kActivation, RowForms kForms>
LLCUDA_DEVICE void expertGluPromptOf(const SortedInput& input, int experts, int outputs, const uint8_t* gate,
                                     const uint8_t* up, const float* gateBias, const float* upBias,
                                     const RowOutput<kForms>& output) {
  LLCUDA_SHARED(uint4, shared, (gatedVectors<kLayout, kK, Tile>()));
  const int expert = input.expert(), firstColumn = static_cast<int>(blockIdx.y) * GatedTile<Tile>::kColumns;
  if (expert < 0)
    return;
  const GatedExpert<Tile> weights = {gate, up, experts * outputs, expert, outputs, firstColumn};
  TileSums<Tile> sums = {};
  const bool whole = tileSums<kLayout, kK, Tile>(input.rows, weights, shared, sums);
  if (gateBias && whole)
    addGatedBiases<Tile>(gateBias + expert * outputs, upBias + expert * outputs, outputs, firstColumn, sums);
  storeGated<kActivation>(sums, whole, shared, input.rows.rows, outputs, firstColumn, output);
}

template <WeightLayout kWeight, ExpertShape kShape, PromptCut kCut, int kTiles, Activation kActivation, RowForms kForms>
LLCUDA_DEVICE void expertGluPrompt(const uint8_t* gate, const uint8_t* up, const float* x, const int8_t* xCodes,
                                   const float2* xScales, const uint8_t* xHalves, const float* xHalfScales,
                                   const int* tileExperts, const float* gateBias, const float* upBias, float* y,
                                   int8_t* codes, float2* scales) {
  expertGluPromptOf<kWeight, kShape.k, PromptTile<kCut>, kActivation>(
      {{{x, xCodes, xScales}, {xHalves, xHalfScales}, kTiles * kCut.rows}, tileExperts}, kShape.experts, kShape.n, gate,
      up, gateBias, upBias, RowOutput<kForms>{y, codes, scales});
}

} // namespace llcuda
