// SPDX-License-Identifier: Apache-2.0
// Where the sums of a linear of tensor cores go: to f32 rows with what is added on the way.
#pragma once

#include "codegen/kernels/linear/prompt_tile.cuh"

namespace llcuda {

/// y = sum (+ bias) (+ residual); null is not wanted. `residual` may be y.
struct PromptOutput {
  const float* bias;
  const float* residual;
  float* y;    ///< [rows][columns], 8-byte aligned
  int columns; ///< of a row

  /// Two neighbouring columns of a row, the first an even one. What lies past the last column is left out.
  LLCUDA_DEVICE void store(int row, int column, float first, float second) const {
    const int64_t at = static_cast<int64_t>(row) * columns + column;
    if (columns % 2 == 0) {
      if (column < columns)
        storePair(at, column, make_float2(first, second));
    } else {
      if (column < columns)
        y[at] = first + (bias ? bias[column] : 0.f) + (residual ? residual[at] : 0.f);
      if (column + 1 < columns)
        y[at + 1] = second + (bias ? bias[column + 1] : 0.f) + (residual ? residual[at + 1] : 0.f);
    }
  }

  LLCUDA_DEVICE void storePair(int64_t at, int column, float2 sum) const {
    if (bias) {
      const float2 b = *reinterpret_cast<const float2*>(bias + column);
      sum = make_float2(sum.x + b.x, sum.y + b.y);
    }
    if (residual) {
      const float2 r = *reinterpret_cast<const float2*>(residual + at);
      sum = make_float2(sum.x + r.x, sum.y + r.y);
    }
    *reinterpret_cast<float2*>(y + at) = sum;
  }

  /// The warp's part of a tile whose first column is `firstColumn`.
  template <typename Tile>
  LLCUDA_DEVICE void storeTile(int rows, int firstColumn, const TileSums<Tile>& sums) const {
    TileSums<Tile>::forEachPair([&](int row, int column, int m, int n) {
      if (Tile::firstRow() + row < rows)
        store(Tile::firstRow() + row, firstColumn + column, sums.at[m][n][0], sums.at[m][n][1]);
    });
  }
};

} // namespace llcuda
