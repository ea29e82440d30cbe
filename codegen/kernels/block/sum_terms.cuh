// SPDX-License-Identifier: Apache-2.0
// The sum of a block of 32 of an int8 row, as tensor cores multiply it with minimums: two f16, the value and what its
// rounding left, 22 bits together. Sums, of magnitudes from Gemma's millions down, are kept to 2^-28 and not past 2^24.
#pragma once

#include "codegen/kernels/ptx/half.cuh"

namespace llcuda {

/// `value`, not past the largest f16, and 2^kBits times what its rounding left.
template <int kBits>
LLCUDA_DEVICE uint32_t valueAndRest(float value) {
  constexpr float kLargest = 65504.f;
  const float within = minOf(maxOf(value, -kLargest), kLargest);
  const Half rounded = toHalf(within);
  return bitCast<uint32_t>(Half2{rounded, toHalf((within - toFloat(rounded)) * (1 << kBits))});
}

struct SumTerms {
  static constexpr float kScale = 1.f / 256; ///< brings sums to where f16 has all its bits
  static constexpr int kRestBits = 11;       ///< 2^kRestBits does the same for what a sum's rounding left

  static LLCUDA_DEVICE uint32_t of(float sum) { return valueAndRest<kRestBits>(sum * kScale); }
  static LLCUDA_DEVICE float sumOf(uint32_t terms) {
    const float2 halves = halvesOf(terms);
    return fusedMultiplyAdd(halves.y, 1.f / (1 << kRestBits), halves.x) * (1 / kScale);
  }
};

} // namespace llcuda
