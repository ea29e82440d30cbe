// SPDX-License-Identifier: Apache-2.0
// What minimums add to a tile of a prompt linear, by tensor cores: for each 32 inputs (scale of x * sum of its codes)
// times the weight's minimum.
//
//   numerics   each factor is two f16, the value and what its rounding left, 22 bits together; three of their four
//              products are summed in f32. Sums come so with their rows; minimums are kept to 2^-33 and not past 2^8
//   sm_75      mma m16n8k8 of the terms of two groups: 1 for 16 x 8 of y, in the place of 4 multiply-adds in each lane
#pragma once

#include "codegen/kernels/block/sum_terms.cuh"
#include "codegen/kernels/ptx/mma.cuh"

namespace llcuda {

/// What a line of a stage brings for its minimums, in shared memory: of a row of x the left factors of two groups, as
/// rows that ldmatrix reads; of a column of the weight a value and its rest, from which lanes make the right factors.
struct MinimumTerms {
  static constexpr float kMinimumScale = 1 / SumTerms::kScale; ///< where f16 has all its bits, too

  struct alignas(16) Row {
    uint2 group[2]; ///< value, rest * 2^SumTerms::kRestBits, value, 0
    LLCUDA_DEVICE void set(int which, uint32_t terms) { group[which] = make_uint2(terms, terms & 0xffffu); }
  };
  struct alignas(8) Column {
    uint32_t group[2]; ///< value, rest
    LLCUDA_DEVICE void set(int which, float minimum) { group[which] = valueAndRest<0>(minimum * kMinimumScale); }
  };

  /// Adds the products of the warp's lines to sums[m][n]. All lanes call.
  template <int kDown, int kAcross>
  LLCUDA_DEVICE static void add(const Row* x, const Column* weight, float (&sums)[kDown][kAcross][2]) {
    uint32_t sum[kDown], minimum[kAcross];
    loadRows(x, sum);
    loadColumns(weight, minimum);
    uint32_t tall[kDown / 2][2];
    float products[kDown / 2][kAcross][4];
    LLCUDA_UNROLL
    for (int m = 0; m < kDown; ++m) {
      tall[m / 2][m % 2] = sum[m];
      LLCUDA_UNROLL
      for (int i = 0; i < 2 * kAcross; ++i) products[m / 2][i / 2][m % 2 * 2 + i % 2] = sums[m][i / 2][i % 2];
    }
    mmaF16Tile(products, tall, minimum);
    LLCUDA_UNROLL
    for (int m = 0; m < kDown; ++m) {
      LLCUDA_UNROLL
      for (int i = 0; i < 2 * kAcross; ++i) sums[m][i / 2][i % 2] = products[m / 2][i / 2][m % 2 * 2 + i % 2];
    }
  }

private:
  template <int kCount>
  static LLCUDA_DEVICE void loadRows(const Row* rows, uint32_t (&to)[kCount]) {
    static_assert(kCount % 4 == 0, "four tiles at a time");
    LLCUDA_UNROLL
    for (int t = 0; t < kCount; t += 4) {
      uint32_t four[4];
      ldmatrixX4(four, rows + 8 * t + laneId());
      LLCUDA_UNROLL
      for (int i = 0; i < 4; ++i) to[t + i] = four[i];
    }
  }

  /// Lane 4 g + t has factors 2 t and 2 t + 1 of the eight of column g: value, value / 2^SumTerms::kRestBits, rest, 0
  /// of each group.
  template <int kCount>
  static LLCUDA_DEVICE void loadColumns(const Column* columns, uint32_t (&to)[kCount]) {
    const bool values = laneId() % 2 == 0;
    const uint32_t selector = values ? 0x1010u : 0x4432u;
    const Half2 scale = toHalf2(1.f, values ? 1.f / (1 << SumTerms::kRestBits) : 1.f);
    LLCUDA_UNROLL
    for (int t = 0; t < kCount; ++t)
      to[t] = bitCast<uint32_t>(multiplyHalf2(
          bitCast<Half2>(bytePermute(columns[8 * t + laneId() / 4].group[laneId() % 4 / 2], 0, selector)), scale));
  }
};

} // namespace llcuda
