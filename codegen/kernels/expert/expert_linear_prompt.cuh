// SPDX-License-Identifier: Apache-2.0
// y[c][n] = sum over k of x[c][k] * weight[experts[c] * N + n][k] (+ bias[experts[c] * N + n]) for each choice c, many
// of them, by tensor cores
//
//   launch        grid (tiles, ceil(N / columns of a tile)), block PromptTile::kThreads: codegen/spec/expert_spec.cpp
//   weight        a blob of its layout with the N rows of each expert, one expert after the other; N is a multiple of
//                 32; not f32_rows
//   inputs        int8 rows or f16 rows in the order of fragments, as the layout reads: those of sorted choices
//   tile_experts, sorted   of sort_choices.cuh; a tile without an expert is left out
//   bias          [experts][N] or null
//   y             [rows * choices][N] f32, 8-byte aligned: in the order of the choices, not of the sorted ones
//   numerics      linear_prompt_s8.cuh, linear_prompt_f16.cuh: bits depend on the row, the expert and the tile's shape
#pragma once

#include "codegen/kernels/expert/expert_linear.cuh"
#include "codegen/kernels/expert/expert_tiles.cuh"

namespace llcuda {

/// Sums of a tile to the rows of their choices.
struct ChoiceOutput {
  const int* sorted;
  const float* bias; ///< of the expert, or null
  float* y;
  int columns;

  template <typename Tile>
  LLCUDA_DEVICE void storeTile(int firstColumn, const TileSums<Tile>& sums) const {
    float2 biases[Tile::kAcross] = {};
    if (bias)
      TileSums<Tile>::forEachPair([&](int, int column, int m, int n) {
        if (m == 0 && firstColumn + column < columns)
          biases[n] = loadReadOnly(reinterpret_cast<const float2*>(bias + firstColumn + column));
      });
    TileSums<Tile>::forEachPair([&](int row, int column, int m, int n) {
      const int choice = loadReadOnly(sorted + Tile::firstRow() + row);
      if (choice >= 0 && firstColumn + column < columns)
        *reinterpret_cast<float2*>(y + static_cast<int64_t>(choice) * columns + firstColumn + column) =
            make_float2(sums.at[m][n][0] + biases[n].x, sums.at[m][n][1] + biases[n].y);
    });
  }
};

/// Tiles, experts and outputs are variables here, so that tests compile a layout and tile once.
template <WeightLayout kLayout, int kK, typename Tile>
LLCUDA_DEVICE void expertLinearPromptOf(const SortedInput& input, int experts, int outputs, const uint8_t* weight,
                                        const int* sorted, const float* bias, float* y) {
  LLCUDA_SHARED(uint4, shared, (tileVectors<kLayout, kK, Tile>()));
  const int expert = input.expert(), firstColumn = static_cast<int>(blockIdx.y) * Tile::kColumns;
  if (expert < 0)
    return;
  const OneExpert<Tile> weights = {weight, experts * outputs, expert, outputs, firstColumn};
  TileSums<Tile> sums = {};
  if (tileSums<kLayout, kK, Tile>(input.rows, weights, shared, sums))
    ChoiceOutput{sorted, bias ? bias + expert * outputs : nullptr, y, outputs}.storeTile(firstColumn, sums);
}

template <WeightLayout kWeight, ExpertShape kShape, PromptCut kCut, int kTiles>
LLCUDA_DEVICE void expertLinearPrompt(const uint8_t* weight, const float* x, const int8_t* xCodes,
                                      const float2* xScales, const uint8_t* xHalves, const float* xHalfScales,
                                      const int* tileExperts, const int* sorted, const float* bias, float* y) {
  expertLinearPromptOf<kWeight, kShape.k, PromptTile<kCut>>(
      {{{x, xCodes, xScales}, {xHalves, xHalfScales}, kTiles * kCut.rows}, tileExperts}, kShape.experts, kShape.n,
      weight, sorted, bias, y);
}

} // namespace llcuda
