// SPDX-License-Identifier: Apache-2.0
// The sums of a tile of linear_prompt, of f16 rows and f16 weights
//
//   numerics   products and sums are f32, in the order of k but for four of 16 that are added together; what a row was
//              multiplied with is taken out of its sums
//   sm_75      mma m16n8k8. Warps are by themselves: both sides go from memory straight to registers, 16 inputs ahead
//              of the products. Which inputs a product has does not matter as long as both sides agree: lane 4g + q has
//              inputs 4q ... 4q + 3 of 16, so it reads half a granule of column g, of which 16 lanes read two whole
//              halves of lines, and 16 bytes of x, of which the warp reads 512 in one run
#pragma once

#include "codegen/kernels/linear/prompt_tile.cuh"

namespace llcuda {

template <WeightLayout kLayout, int kK, typename Tile>
struct HalfProduct {
  using Traits = WeightTraits<kLayout, kK>;
  static constexpr int kDown = Tile::kDown / 2, kAcross = Tile::kAcross; ///< tiles of 16 x 8 that a warp makes
  static constexpr int kDeep = Tile::kWarpsDeep;
  static constexpr int kUnits = kK / kHalfBlock;
  /// Units of a step of the loop, all but one of which are on their way while one is multiplied.
  static constexpr int kStep = kDown * kAcross <= 8 && kUnits % 4 == 0 ? 4 : 2;
  static constexpr int kSteps = kUnits / kStep;
  static constexpr int kSharedBytes = 0;

  /// The lane's operands of a unit.
  struct Operands {
    uint2 weights[kAcross];
    uint4 rows[kDown];
  };

  /// Where the lane finds them, from some unit on.
  template <int kRuns>
  struct Source {
    const uint4* rows;
    WeightPlanes planes[kRuns];
    int tiles[kDown]; ///< of 16 rows, from the first one on

    LLCUDA_DEVICE void move(int units) {
      rows += units * kWarpSize;
      LLCUDA_UNROLL
      for (WeightPlanes& run : planes) Traits::moveHalves(run, units);
    }
    LLCUDA_DEVICE void load(int unit, Operands& to) const {
      LLCUDA_UNROLL
      for (int n = 0; n < kAcross; ++n)
        to.weights[n] = Traits::loadHalves(planes[n * kRuns / kAcross], 8 * (n % (kAcross / kRuns)), unit);
      LLCUDA_UNROLL
      for (int m = 0; m < kDown; ++m) to.rows[m] = loadReadOnly(rows + (tiles[m] * kUnits + unit) * kWarpSize);
    }
  };

  /// Of the warp's part of the block's tile, at its first unit.
  template <typename Weights>
  static LLCUDA_DEVICE auto sourceOf(const PromptRows& input, const Weights& weights) {
    constexpr int kRun = Weights::kRun;
    Source<Tile::kWarpColumns / kRun> source;
    const TileRows<Tile> rows(input.rows);
    LLCUDA_UNROLL
    for (int m = 0; m < kDown; ++m) source.tiles[m] = rows.after(m);
    source.rows = reinterpret_cast<const uint4*>(input.halves.x) + rows.first * kUnits * kWarpSize + laneId();
    LLCUDA_UNROLL
    for (int run = 0; run < Tile::kWarpColumns / kRun; ++run) {
      const WeightLine line = weights.line(Tile::warpColumn() + run * kRun + laneId() / 4);
      source.planes[run] = Traits::halvesFrom(planesOf<kLayout, kK>(line.weight, weights.rows), line.row);
    }
    source.move(minOf(Tile::depth(), kSteps - 1) * kStep);
    return source;
  }

  using Products = float[kDown][kAcross][4];
  static LLCUDA_DEVICE void multiply(const Operands& operands, Products& products) {
    LLCUDA_UNROLL
    for (int pair = 0; pair < 2; ++pair) {
      uint32_t rows[kDown][2], columns[kAcross];
      LLCUDA_UNROLL
      for (int m = 0; m < kDown; ++m) {
        const uint4& both = operands.rows[m];
        rows[m][0] = pair == 0 ? both.x : both.y;
        rows[m][1] = pair == 0 ? both.z : both.w;
      }
      LLCUDA_UNROLL
      for (int n = 0; n < kAcross; ++n) columns[n] = pair == 0 ? operands.weights[n].x : operands.weights[n].y;
      mmaF16Tile(products, rows, columns);
    }
  }

  /// The sums of the block's tile. All threads call.
  template <typename Weights>
  static LLCUDA_DEVICE void run(const PromptRows& input, const Weights& weights, uint4*, TileSums<Tile>& sums) {
    auto source = sourceOf(input, weights);
    Products products = {};
    Operands operands[kStep];
    LLCUDA_UNROLL
    for (int u = 0; u < kStep - 1; ++u) source.load(u, operands[u]);
    LLCUDA_NO_UNROLL
    for (int step = Tile::depth(); step < kSteps; step += kDeep) {
      source.load(kStep - 1, operands[kStep - 1]);
      multiply(operands[0], products);
      source.move(step + kDeep < kSteps ? kStep * kDeep : 0); // past the last step nothing new
      LLCUDA_UNROLL
      for (int u = 1; u < kStep; ++u) {
        source.load(u - 1, operands[u - 1]);
        multiply(operands[u], products);
      }
    }
    const TileRows<Tile> rows(input.rows);
    LLCUDA_UNROLL
    for (int m = 0; m < 2 * kDown; ++m) {
      const float scale =
          loadReadOnly(input.halves.scales + (rows.first + rows.after(m / 2)) * kHalfTile + m % 2 * 8 + laneId() / 4);
      LLCUDA_UNROLL
      for (int n = 0; n < kAcross; ++n) {
        sums.at[m][n][0] = products[m / 2][n][m % 2 * 2] * scale;
        sums.at[m][n][1] = products[m / 2][n][m % 2 * 2 + 1] * scale;
      }
    }
  }
};

} // namespace llcuda
