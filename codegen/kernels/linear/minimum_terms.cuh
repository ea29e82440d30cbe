// SPDX-License-Identifier: Apache-2.0
// What minimums add to a tile of a prompt linear, by tensor cores: for each 32 inputs (scale of x * sum of its codes)
// times the weight's minimum.
//
//   numerics   each factor is two f16, the value and what its rounding left, 22 bits together; three of their four
//              products are summed in f32. Sums are kept as block/sum_terms.cuh says, minimums to 2^-33 and not past
//              2^8
//   sm_75      mma m16n8k8 of the terms of two units: 1 for 16 x 8 of y, in the place of 4 multiply-adds in each lane.
//              Lane 4 g + t has factors 2 t and 2 t + 1 of the eight: of row g and g + 8 value, rest of unit t / 2,
//              twice; of column g value, value / 2^SumTerms::kRestBits for an even t, rest, 0 for an odd one
#pragma once

#include "codegen/kernels/block/sum_terms.cuh"
#include "codegen/kernels/ptx/mma.cuh"

namespace llcuda {

struct MinimumTerms {
  static constexpr float kMinimumScale = 1 / SumTerms::kScale; ///< where f16 has all its bits, too

  /// The words of a minimum for an even and for an odd t.
  static LLCUDA_DEVICE uint2 ofColumn(float minimum) {
    const uint32_t both = valueAndRest<0>(minimum * kMinimumScale);
    const Half2 twice = bitCast<Half2>(bytePermute(both, 0, 0x1010));
    return make_uint2(bitCast<uint32_t>(multiplyHalf2(twice, toHalf2(1.f, 1.f / (1 << SumTerms::kRestBits)))),
                      both >> 16);
  }

  /// Adds to sums[m][n] the products of rows 8 m + g and columns 8 n + g. All lanes call.
  template <int kDown, int kAcross>
  static LLCUDA_DEVICE void add(const uint2 (&rows)[kDown / 2], const uint32_t (&columns)[kAcross],
                                float (&sums)[kDown][kAcross][2]) {
    uint32_t tall[kDown / 2][2];
    float products[kDown / 2][kAcross][4];
    LLCUDA_UNROLL
    for (int m = 0; m < kDown; ++m) {
      tall[m / 2][m % 2] = m % 2 == 0 ? rows[m / 2].x : rows[m / 2].y;
      LLCUDA_UNROLL
      for (int i = 0; i < 2 * kAcross; ++i) products[m / 2][i / 2][m % 2 * 2 + i % 2] = sums[m][i / 2][i % 2];
    }
    mmaF16Tile(products, tall, columns);
    LLCUDA_UNROLL
    for (int m = 0; m < kDown; ++m) {
      LLCUDA_UNROLL
      for (int i = 0; i < 2 * kAcross; ++i) sums[m][i / 2][i % 2] = products[m / 2][i / 2][m % 2 * 2 + i % 2];
    }
  }
};

} // namespace llcuda
