// SPDX-License-Identifier: Apache-2.0
// q2_k_planes: weight = d * scale * code - dmin * min, scale and min of 16 weights, four bits each.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ2_KPlanes, kColumns> : PairReads<WeightLayout::kQ2_KPlanes, kColumns>,
                                                           BytePairScales<WeightLayout::kQ2_KPlanes, kColumns> {
  static constexpr int kScaleStep = 16;
  using Scales = BytePairScales<WeightLayout::kQ2_KPlanes, kColumns>; ///< scale low and min high; f16 d and dmin

  static LLCUDA_DEVICE CodeWords<8> codes(const uint2& pairs) { return codesOfPairs<8>(pairs); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const uint2& pairs) { return codesOfPairs<2>(pairs); }
  static LLCUDA_DEVICE float2 scaleOf(const typename Scales::Scale& scale, int part) {
    const float2 d = halvesOf(scale.d);
    return make_float2(d.x * static_cast<float>(nibble(scale.scales, 2 * part)),
                       -(d.y * static_cast<float>(nibble(scale.scales, 2 * part + 1))));
  }

private:
  static LLCUDA_DEVICE int nibble(const WordPart& scales, int i) {
    return static_cast<int>(scales.bits() >> (4 * i) & 15);
  }
};

} // namespace llcuda
