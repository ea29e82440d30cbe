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

  /// Two neighbouring columns of a row, the first an even one; zeros past the last column, and where there is no
  /// matrix.
  LLCUDA_DEVICE float2 pairOf(const float* matrix, int row, int column) const {
    if (!matrix || column >= columns)
      return make_float2(0.f, 0.f);
    const float* const at = matrix + static_cast<int64_t>(row) * columns + column;
    if (columns % 2 == 0)
      return *reinterpret_cast<const float2*>(at);
    return make_float2(at[0], column + 1 < columns ? at[1] : 0.f);
  }

  /// Two neighbouring columns of a row. What lies past the last column is left out.
  LLCUDA_DEVICE void store(int row, int column, float2 sum) const {
    storeWith(row, column, sum, pairOf(residual, row, column));
  }

  /// The warp's part of a tile whose first column is `firstColumn`. Residuals are on their way for kAtOnce lines of
  /// tiles before the first is stored: a load would wait for the store before it, which may be to the same place.
  template <typename Tile>
  LLCUDA_DEVICE void storeTile(int rows, int firstColumn, const TileSums<Tile>& sums) const {
    constexpr int kAtOnce = 4;
    LLCUDA_UNROLL
    for (int first = 0; first < Tile::kDown; first += kAtOnce) {
      float2 residuals[kAtOnce][Tile::kAcross];
      const auto forEachPair = [&](auto f) {
        TileSums<Tile>::forEachPair([&](int row, int column, int m, int n) {
          if (m / kAtOnce == first / kAtOnce && Tile::firstRow() + row < rows)
            f(Tile::firstRow() + row, firstColumn + column, sums.at[m][n], residuals[m % kAtOnce][n]);
        });
      };
      forEachPair([&](int row, int column, const float(&)[2], float2& to) { to = pairOf(residual, row, column); });
      forEachPair([&](int row, int column, const float(&sum)[2], const float2& other) {
        storeWith(row, column, make_float2(sum[0], sum[1]), other);
      });
    }
  }

private:
  LLCUDA_DEVICE void storeWith(int row, int column, float2 sum, float2 other) const {
    if (column >= columns)
      return;
    const float2 b = pairOf(bias, 0, column);
    const float2 pair = make_float2(sum.x + b.x + other.x, sum.y + b.y + other.y);
    float* const at = y + static_cast<int64_t>(row) * columns + column;
    if (columns % 2 == 0) {
      *reinterpret_cast<float2*>(at) = pair;
      return;
    }
    at[0] = pair.x;
    if (column + 1 < columns)
      at[1] = pair.y;
  }
};

} // namespace llcuda
