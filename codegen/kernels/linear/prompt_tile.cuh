// SPDX-License-Identifier: Apache-2.0
// What the linears of tensor cores share: how a block divides its tile of y, which rows of x and which weights it
// multiplies, and the sums that a warp holds.
#pragma once

#include "codegen/formats/half_rows.h"
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

/// f16 rows: half_rows.h.
struct HalfRows {
  const uint8_t* x;
  const float* scales; ///< [rows]
};

/// The rows of activations of a launch. Their number is a constant in every kernel, and a variable in tests.
struct PromptRows {
  InputRows x;
  HalfRows halves; ///< of the same rows; of which a layout that tensor cores multiply as f16 reads these
  int rows;
};

static_assert(kFragmentRows == kHalfTile, "rows of both forms come in the same tiles");

/// The tiles of kFragmentRows rows that a warp multiplies; what lies past the last tile is the last.
template <typename Tile>
struct TileRows {
  int first, last;
  bool whole; ///< no tile of the block's is past the last, which is a constant in every kernel

  explicit LLCUDA_DEVICE TileRows(int rows) : whole(rows % Tile::kRows == 0) {
    const int own = (Tile::firstRow() + Tile::warpRow()) / kFragmentRows;
    last = ceilDivide(rows, kFragmentRows) - 1;
    first = whole ? own : minOf(own, last);
  }
  /// Tile m of the warp's, counted from the first.
  LLCUDA_DEVICE int after(int m) const {
    return whole ? m : minOf((Tile::firstRow() + Tile::warpRow()) / kFragmentRows + m, last) - first;
  }
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
