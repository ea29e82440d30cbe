// SPDX-License-Identifier: Apache-2.0
// What the linear_prompt kernels share: how a block divides its tile of y, which rows it may leave out, and how the
// tile gets its bias and residual on the way out.
#pragma once

#include "codegen/kernels/ptx/load.cuh"
#include "codegen/kernels/ptx/mma.cuh"

namespace llcuda {

/// A block makes kRows x kColumns of y; its warps stand kWarpsDown x kWarpsAcross.
template <int kRows_, int kColumns_, int kWarpsDown_, int kWarpsAcross_>
struct PromptLinearTile {
  static constexpr int kRows = kRows_;
  static constexpr int kColumns = kColumns_;
  static constexpr int kWarpsAcross = kWarpsAcross_;
  static constexpr int kThreads = kWarpsDown_ * kWarpsAcross_ * kWarpSize;
  static constexpr int kWarpRows = kRows / kWarpsDown_;
  static constexpr int kWarpColumns = kColumns / kWarpsAcross_;
  static_assert(kWarpRows % 16 == 0 && kWarpColumns % 32 == 0, "whole fragments, columns by fours");

  static LLCUDA_DEVICE int firstRow() { return static_cast<int>(blockIdx.x) * kRows; }
  static LLCUDA_DEVICE int firstColumn() { return static_cast<int>(blockIdx.y) * kColumns; }
  /// Of the warp, within the block's tile.
  static LLCUDA_DEVICE int warpRow() { return warpId() / kWarpsAcross * kWarpRows; }
  static LLCUDA_DEVICE int warpColumn() { return warpId() % kWarpsAcross * kWarpColumns; }
};

/// Whether any row of the block's tile has a position. All threads call.
template <typename Tile, int kRows>
LLCUDA_DEVICE bool anyRow(const int* positions) {
  bool any = false;
  for (int i = static_cast<int>(threadIdx.x); i < Tile::kRows; i += Tile::kThreads)
    any = any || (Tile::firstRow() + i < kRows && loadReadOnly(positions + Tile::firstRow() + i) >= 0);
  return syncThreadsOr(any);
}

/// Where sums go: y = sum (+ bias) (+ residual); null is not wanted. `residual` may be y.
struct PromptOutput {
  const float* bias;
  const float* residual;
  float* y;

  /// Two neighbouring columns of a row of [rows][kColumns].
  template <int kColumns>
  LLCUDA_DEVICE void store(int row, int column, float first, float second) const {
    const long long at = static_cast<long long>(row) * kColumns + column;
    if (kColumns % 2 == 0) {
      if (column < kColumns)
        storePair(at, column, make_float2(first, second));
    } else {
      if (column < kColumns)
        y[at] = first + (bias ? bias[column] : 0.f) + (residual ? residual[at] : 0.f);
      if (column + 1 < kColumns)
        y[at + 1] = second + (bias ? bias[column + 1] : 0.f) + (residual ? residual[at + 1] : 0.f);
    }
  }

  LLCUDA_DEVICE void storePair(long long at, int column, float2 sum) const {
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
};

} // namespace llcuda
