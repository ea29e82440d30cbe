// SPDX-License-Identifier: Apache-2.0
// What the linears of tensor cores share: how a block divides its tile of y, which weight a column of the tile is, how
// stages lie in shared memory, and the sums that a warp holds.
#pragma once

#include "codegen/kernels/linear/linear_shape.h"
#include "codegen/kernels/linear/weights.cuh"
#include "codegen/kernels/ptx/mma.cuh"
#include "codegen/kernels/ptx/thread.cuh"

namespace llcuda {

/// How a linear of many rows is cut: a block makes rows x columns of y. Its warps stand warpsDown x warpsAcross,
/// warpsDeep times: with more than one depth each makes the whole tile from a share of the inputs, and addDepths()
/// brings them together.
struct PromptCut {
  int rows, columns;
  int warpsDown, warpsAcross, warpsDeep = 1;
};

template <PromptCut kCut>
struct PromptTile {
  static constexpr int kRows = kCut.rows, kColumns = kCut.columns;
  static constexpr int kWarpsAcross = kCut.warpsAcross, kWarpsDeep = kCut.warpsDeep;
  static constexpr int kPlaneWarps = kCut.warpsDown * kWarpsAcross; ///< of one depth
  static constexpr int kThreads = kPlaneWarps * kWarpsDeep * kWarpSize;
  static constexpr int kWarpRows = kRows / kCut.warpsDown, kWarpColumns = kColumns / kWarpsAcross;
  static constexpr int kDown = kWarpRows / 8, kAcross = kWarpColumns / 8; ///< tiles of 8 x 8 that a warp makes
  static_assert(kWarpRows % 16 == 0 && kWarpColumns % 32 == 0, "whole fragments");

  static LLCUDA_DEVICE int firstRow() { return static_cast<int>(blockIdx.x) * kRows; }
  /// Of the warp, within the block's tile.
  static LLCUDA_DEVICE int warpRow(int warp = warpId()) { return warp % kPlaneWarps / kWarpsAcross * kWarpRows; }
  static LLCUDA_DEVICE int warpColumn(int warp = warpId()) { return warp % kWarpsAcross * kWarpColumns; }
  static LLCUDA_DEVICE int depth() { return kWarpsDeep == 1 ? 0 : warpId() / kPlaneWarps; }
};

/// The rows of activations of a launch. Their number is a constant in every kernel, and a variable in tests.
struct PromptRows {
  InputRows x;
  int rows;
};

/// Whether any row of the block's tile has a position. All threads call.
template <typename Tile>
LLCUDA_DEVICE bool anyRow(const int* positions, int rows) {
  bool any = false;
  for (int i = static_cast<int>(threadIdx.x); i < Tile::kRows; i += Tile::kThreads)
    any = any || (Tile::firstRow() + i < rows && loadReadOnly(positions + Tile::firstRow() + i) >= 0);
  return syncThreadsOr(any);
}

/// Line `line` of `count`, and the last for one past it. Where tiles of `tile` lines divide `count`, which is a
/// constant in every kernel, no line is past the last, and addresses differ by constants.
LLCUDA_DEVICE int lineWithin(int line, int count, int tile) {
  return count % tile == 0 ? line : minOf(line, count - 1);
}

/// Element `at` of the row of x that is line `line` of the block's tile, in a matrix of kColumns and less than 2^32
/// elements; a row past the last is the last. `own` is a line that the thread's others differ from by constants, so
/// that its addresses do; what varies is a sum of 32 bits, one register from step to step.
template <typename Tile, int kColumns>
LLCUDA_DEVICE int64_t rowElement(int rows, int line, int own, int at) {
  if (rows % Tile::kRows != 0)
    return static_cast<int64_t>(lineWithin(Tile::firstRow() + line, rows, Tile::kRows)) * kColumns + at;
  const uint32_t ownAt = static_cast<uint32_t>(Tile::firstRow() + own) * kColumns + static_cast<uint32_t>(at);
  return static_cast<int64_t>(ownAt) + static_cast<int64_t>(line - own) * kColumns;
}

/// The row of a weight that a column of the tile is; what lies past the rows that memory has is the last of them.
struct WeightLine {
  const uint8_t* weight;
  int row;
};

/// Row `row` of a weight of `rows` of which memory has whole tiles, by runs of kRun: of a run past the last it is the
/// same one of the last.
template <int kRun>
LLCUDA_DEVICE int rowWithin(int row, int rows) {
  const int first = row / kRun * kRun, stored = static_cast<int>(weightStoredRows(static_cast<unsigned>(rows)));
  return minOf(first, stored - kRun) + row - first;
}

/// The tile's columns are rows firstRow ... of one weight.
template <typename Tile>
struct OneWeight {
  static constexpr int kRun = kWeightTileRows; ///< neighbouring columns that are rows of one tile of one weight
  const uint8_t* weight;
  int rows; ///< of the weight
  int firstRow;

  LLCUDA_DEVICE WeightLine line(int column) const {
    const int row = firstRow + column;
    return {weight, rows % Tile::kColumns == 0 ? row : rowWithin<kRun>(row, rows)};
  }
};

/// Each warp's columns are kWarpColumns / 2 rows of the gate's weight, then the same rows of up's.
template <typename Tile>
struct GatedWeights {
  static constexpr int kHalf = Tile::kWarpColumns / 2;
  static constexpr int kRun = kHalf < static_cast<int>(kWeightTileRows) ? kHalf : kWeightTileRows;
  const uint8_t *gate, *up;
  int rows; ///< of each
  int firstRow;

  LLCUDA_DEVICE WeightLine line(int column) const {
    const int within = column % Tile::kWarpColumns;
    const int row = firstRow + column / Tile::kWarpColumns * kHalf + within % kHalf;
    return {within < kHalf ? gate : up, rows % (Tile::kColumns / 2) == 0 ? row : rowWithin<kRun>(row, rows)};
  }
};

/// Calls body(i, line, part) for each of kParts parts of kLines lines that is this thread's; i counts them. Where a
/// block takes whole lines at a time, lines differ by constants and the part is one: so do addresses made of them.
template <int kThreads, int kLines, int kParts, typename Body>
LLCUDA_DEVICE void forEachPart(Body body) {
  constexpr int kEach = ceilDivide(kLines * kParts, kThreads);
  LLCUDA_UNROLL
  for (int i = 0; i < kEach; ++i) {
    const unsigned thread = threadIdx.x;
    const int index = i * kThreads + static_cast<int>(thread);
    if (kLines * kParts % kThreads != 0 && index >= kLines * kParts)
      continue;
    if (kThreads % kParts == 0)
      body(i, i * (kThreads / kParts) + static_cast<int>(thread / kParts), static_cast<int>(thread % kParts));
    else
      body(i, index / kParts, index % kParts);
  }
}

/// Where 16 bytes of a line of kBytes lie in shared memory. Eight lines' chunks of one number, which ldmatrix reads
/// together, lie in different banks, and so do neighbouring chunks of neighbouring lines, which threads write together.
template <int kBytes>
LLCUDA_DEVICE int chunkAt(int line, int chunk) {
  static_assert(kBytes == 64 || kBytes % 128 == 0, "lines of half a row of banks, or of whole ones");
  const auto bits = static_cast<unsigned>(line); // of which a multiple of 8 that is added changes none
  return line * kBytes + 16 * (chunk ^ static_cast<int>(kBytes == 64 ? bits / 2 % 4 : bits % 8));
}

/// Two neighbouring 8 x 16-byte matrices of each of kCount tiles of 8 lines from tile kTile on: to[i][t] is matrix
/// `chunk` + i of tile t; firstLine is a multiple of 8.
template <int kBytes, int kTile = 0, int kCount>
LLCUDA_DEVICE void loadTiles(const uint8_t* lines, int firstLine, int chunk, uint32_t (&to)[2][kCount]) {
  static_assert(kCount % 2 == 0, "two tiles at a time");
  if constexpr (kTile < kCount) {
    uint32_t four[4];
    const int own = chunkAt<kBytes>(laneId() % 16, chunk + laneId() / 16);
    ldmatrixX4<kTile * 8 * kBytes>(four, lines + firstLine * kBytes + own);
    to[0][kTile] = four[0];
    to[0][kTile + 1] = four[1];
    to[1][kTile] = four[2];
    to[1][kTile + 1] = four[3];
    loadTiles<kBytes, kTile + 2>(lines, firstLine, chunk, to);
  }
}

/// The sums of a warp: [m][n][i] is row 8 m + lane / 4, column 8 n + lane % 4 * 2 + i of the warp's tile.
template <typename Tile>
struct TileSums {
  float at[Tile::kDown][Tile::kAcross][2];

  /// Calls f(row, column, m, n) with the place in the block's tile of each pair at[m][n]. For what comes after the loop
  /// over the inputs: it keeps nothing from before it.
  template <int kAcross = Tile::kAcross, typename F>
  static LLCUDA_DEVICE void forEachPair(F f) {
    const int thread = threadIndexAnew(), warp = thread / kWarpSize, lane = thread % kWarpSize;
    LLCUDA_UNROLL
    for (int m = 0; m < Tile::kDown; ++m) {
      LLCUDA_UNROLL
      for (int n = 0; n < kAcross; ++n)
        f(Tile::warpRow(warp) + m * 8 + lane / 4, Tile::warpColumn(warp) + n * 8 + lane % 4 * 2, m, n);
    }
  }
};

/// Adds the sums of all depths in order; true in the warps of the first, which have the whole. `shared` is memory of
/// (kWarpsDeep - 1) * kRows * kColumns floats that nobody reads any more. All threads call.
template <typename Tile>
LLCUDA_DEVICE bool addDepths(float* shared, TileSums<Tile>& sums) {
  if constexpr (Tile::kWarpsDeep > 1) {
    const auto place = [&](int depth, int row, int column) {
      return reinterpret_cast<float2*>(shared + ((depth - 1) * Tile::kRows + row) * Tile::kColumns + column);
    };
    if (Tile::depth() > 0)
      TileSums<Tile>::forEachPair([&](int row, int column, int m, int n) {
        *place(Tile::depth(), row, column) = make_float2(sums.at[m][n][0], sums.at[m][n][1]);
      });
    syncThreads();
    if (Tile::depth() > 0)
      return false;
    LLCUDA_UNROLL
    for (int depth = 1; depth < Tile::kWarpsDeep; ++depth)
      TileSums<Tile>::forEachPair([&](int row, int column, int m, int n) {
        const float2 more = *place(depth, row, column);
        sums.at[m][n][0] += more.x;
        sums.at[m][n][1] += more.y;
      });
  }
  return true;
}

} // namespace llcuda
