// SPDX-License-Identifier: Apache-2.0
// y[r][n] = activation(gate . x[r])[n] * (up . x[r])[n] for many rows, by tensor cores
//
//   launch     grid (ceil(m / rows of a tile), ceil(2 * n / columns of a tile)), block PromptTile::kThreads; numbers
//              from codegen/spec/linear_prompt_spec.cpp
//   gate, up   blobs of n x k in one layout, which is not f32_rows
//   inputs, positions   as linear_prompt
//   output     f32 rows, int8 rows in the order of fragments, or both, [m][n]; n is a multiple of 32; rows of a tile
//              whose positions are all -1 keep what they held
//   low        as linear_prompt, of the gate and of up, or null
//   numerics   as linear_prompt and glu
//   sm_75      half of a tile's columns are the gate's, half are up's, so that they meet in registers; shared memory
//              has 64 rows at a time of what comes of them
#pragma once

#include "codegen/kernels/block/emit_row.cuh"
#include "codegen/kernels/glu/activation.cuh"
#include "codegen/kernels/linear/linear_prompt.cuh"

namespace llcuda {

/// The gated values of some rows of a tile in shared memory, from where whole blocks of 32 become int8.
template <typename Tile>
struct GatedTile {
  static constexpr int kRows = Tile::kRows % 64 == 0 ? 64 : Tile::kRows;
  static constexpr int kColumns = Tile::kColumns / 2;
  static constexpr int kPitch = kColumns + 8; ///< no bank conflicts between four rows
  static_assert(kColumns % 32 == 0, "whole blocks of int8 rows");
  float* at;
  int firstRow; ///< of the tile's

  template <Activation kActivation>
  LLCUDA_DEVICE void put(const TileSums<Tile>& sums) const {
    constexpr int kHalf = Tile::kAcross / 2;
    TileSums<Tile>::template forEachPair<kHalf>([&](int tileRow, int column, int m, int n) {
      const int row = tileRow - firstRow;
      if (kRows != Tile::kRows && (row < 0 || row >= kRows))
        return;
      const int own = column - column / Tile::kWarpColumns * (Tile::kWarpColumns / 2);
      const float(&gate)[2] = sums.at[m][n], (&up)[2] = sums.at[m][n + kHalf];
      *reinterpret_cast<float2*>(at + row * kPitch + own) =
          make_float2(gated<kActivation>(gate[0], up[0]), gated<kActivation>(gate[1], up[1]));
    });
  }

  template <RowForms kForms>
  LLCUDA_DEVICE void store(int rows, int outputs, int firstColumn, const RowOutput<kForms>& output) const {
    constexpr int kTiles = kRows / kFragmentRows, kBlocks = kColumns / kRowBlock;
    const int first = Tile::firstRow() + firstRow;
    forEachPart<Tile::kThreads, kTiles * kBlocks, kWarpSize>([&](int, int part, int lane) {
      const int tile = part / kBlocks, block = part % kBlocks;
      if (first + tile * kFragmentRows >= rows || firstColumn + block * kRowBlock >= outputs)
        return; // the whole warp
      const float* const from = at + (tile * kFragmentRows + lane / 4) * kPitch + block * kRowBlock + lane % 4 * 4;
      FragmentFours v;
      LLCUDA_UNROLL
      for (int r = 0; r < 2; ++r) {
        v.of[r][0] = *reinterpret_cast<const float4*>(from + 8 * r * kPitch);
        v.of[r][1] = *reinterpret_cast<const float4*>(from + 8 * r * kPitch + kRowBlock / 2);
      }
      output.storeFragment(first / kFragmentRows + tile, firstColumn / kRowBlock + block, rows, outputs, v);
    });
  }
};

/// Shared memory of a block whose tile is gated, in vectors of 16 bytes.
template <WeightLayout kLayout, int kK, typename Tile>
constexpr int gatedVectors() {
  constexpr int kSums = tileVectors<kLayout, kK, Tile>(), kGated = GatedTile<Tile>::kRows * GatedTile<Tile>::kPitch / 4;
  return kSums > kGated ? kSums : kGated;
}

/// Gates the sums of the block's tile, which the warps with `whole` have, and stores them. All threads call.
template <Activation kActivation, typename Tile, RowForms kForms>
LLCUDA_DEVICE void storeGated(const TileSums<Tile>& sums, bool whole, uint4* shared, int rows, int outputs,
                              int firstColumn, const RowOutput<kForms>& output) {
  LLCUDA_UNROLL
  for (int firstRow = 0; firstRow < Tile::kRows; firstRow += GatedTile<Tile>::kRows) {
    const GatedTile<Tile> gated = {reinterpret_cast<float*>(shared), firstRow};
    syncThreads();
    if (whole)
      gated.template put<kActivation>(sums);
    syncThreads();
    gated.store(rows, outputs, firstColumn, output);
  }
}

/// Rows and outputs are variables here, so that tests compile a layout and tile once.
template <WeightLayout kLayout, int kK, typename Tile, Activation kActivation, int kLowRank = 0, RowForms kForms>
LLCUDA_DEVICE void gluLinearPromptOf(const PromptRows& input, int outputs, const uint8_t* gate, const uint8_t* up,
                                     const int* positions, const RowOutput<kForms>& output, const LowRank& low = {}) {
  LLCUDA_SHARED(uint4, shared, (gatedVectors<kLayout, kK, Tile>()));
  if (!anyRow<Tile>(positions, input.rows))
    return;
  const int firstColumn = static_cast<int>(blockIdx.y) * GatedTile<Tile>::kColumns;
  const GatedWeights<Tile> weights = {gate, up, outputs, firstColumn};
  TileSums<Tile> sums = {};
  const bool whole = tileSums<kLayout, kK, Tile>(input, weights, shared, sums);
  if constexpr (kLowRank != 0) {
    if (whole)
      addLowRank<kLowRank>(low.low, input.rows,
                           GatedWeights<Tile>{low.weights[0], low.weights[1], outputs, firstColumn}, sums);
  }
  storeGated<kActivation>(sums, whole, shared, input.rows, outputs, firstColumn, output);
}

template <WeightLayout kWeight, LinearShape kShape, PromptCut kCut, Activation kActivation, RowForms kForms,
          int kLowRank = 0>
LLCUDA_DEVICE void gluLinearPrompt(const uint8_t* gate, const uint8_t* up, const float* x, const int8_t* xCodes,
                                   const float2* xScales, const uint8_t* xHalves, const float* xHalfScales,
                                   const int* positions, float* y, int8_t* codes, float2* scales,
                                   const LowRank& low = {}) {
  gluLinearPromptOf<kWeight, kShape.k, PromptTile<kCut>, kActivation, kLowRank>(
      {{x, xCodes, xScales}, {xHalves, xHalfScales}, kShape.m}, kShape.n, gate, up, positions,
      RowOutput<kForms>{y, codes, scales}, low);
}

} // namespace llcuda
