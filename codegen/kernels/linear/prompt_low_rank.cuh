// SPDX-License-Identifier: Apache-2.0
// Low-rank products that a linear of many rows adds to those of its weights, in its registers: low_rank_operand.cuh
//
//   numerics   half_chunks.cuh; a row's bits depend on the rank alone
//   sm_75      few inputs after the many of the linear: nothing is loaded ahead, so that the registers of its loop do
#pragma once

#include "codegen/kernels/linear/half_chunks.cuh"
#include "codegen/kernels/linear/low_rank_operand.cuh"
#include "codegen/kernels/linear/prompt_tile.cuh"

namespace llcuda {

/// Adds to a warp's sums, which are whole, b . low of the tile's columns, which are rows of `weights`; of those that
/// are null nothing.
template <int kRank, typename Tile, typename Weights>
LLCUDA_DEVICE void addLowRank(const float* low, int rows, const Weights& weights, TileSums<Tile>& sums) {
  using Traits = WeightTraits<WeightLayout::kF16Rows, kRank>;
  constexpr int kAcross = Tile::kAcross, kRuns = Tile::kWarpColumns / Weights::kRun;
  const int warp = threadIndexAnew() / kWarpSize, firstTile = (Tile::firstRow() + Tile::warpRow(warp)) / kHalfTile;
  WeightPlanes planes[kRuns];
  LLCUDA_UNROLL
  for (int run = 0; run < kRuns; ++run) {
    const WeightLine line = weights.line(Tile::warpColumn(warp) + run * Weights::kRun + laneId() / 4);
    planes[run] = {};
    if (line.weight != nullptr)
      planes[run] = Traits::halvesFrom(planesOf<WeightLayout::kF16Rows, kRank>(line.weight, weights.rows), line.row);
  }
  LLCUDA_NO_UNROLL
  for (int chunk = 0; chunk < kRank / kChunkInputs; ++chunk) {
    ChunkColumns<kAcross> columns;
    LLCUDA_UNROLL
    for (int n = 0; n < kAcross; ++n) {
      const WeightPlanes& from = planes[n * kRuns / kAcross];
      LLCUDA_UNROLL
      for (int b = 0; b < kChunkBlocks; ++b)
        columns.of[n][b] = from.codes == nullptr
                               ? make_uint2(0, 0)
                               : Traits::loadHalves(from, 8 * (n % (kAcross / kRuns)), chunk * kChunkBlocks + b);
    }
    LLCUDA_UNROLL
    for (int m = 0; m < Tile::kDown / 2; ++m) {
      const HalfChunk halves(LaneRows<kRank>(low, rows, firstTile + m).load(chunk));
      addChunk(halves, columns, [&](int n, int i) -> float& { return sums.at[2 * m + i / 2][n][i % 2]; });
    }
  }
}

} // namespace llcuda
