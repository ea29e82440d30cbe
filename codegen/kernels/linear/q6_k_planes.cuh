// SPDX-License-Identifier: Apache-2.0
// q6_k_planes: weight = d * scale * code, a code of six bits with its sign, scale of 16 weights.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ6_KPlanes, kColumns> : NibbleBitReads<WeightLayout::kQ6_KPlanes, kColumns, uint2>,
                                                           BytePairScales<WeightLayout::kQ6_KPlanes, kColumns> {
  static constexpr int kScaleStep = 16;
  using Scales = BytePairScales<WeightLayout::kQ6_KPlanes, kColumns>; ///< signed bytes, an f32
  using Units = NibbleBitReads<WeightLayout::kQ6_KPlanes, kColumns, uint2>;

  /// 4 * code
  static LLCUDA_DEVICE CodeWords<8> codes(const typename Units::Unit& w) { return codesFrom<8>(w.codes, w.high); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const typename Units::Piece& piece) {
    return codesFrom<2>(piece.codes, piece.high);
  }
  static LLCUDA_DEVICE float2 scaleOf(const typename Scales::Scale& scale, int part) {
    const auto code = static_cast<float>(signedByte(scale.scales.bits(), part));
    return make_float2(bitCast<float>(scale.d) * 0.25f * code, 0.f);
  }

private:
  template <int kWords, typename Nibbles>
  static LLCUDA_DEVICE CodeWords<kWords> codesFrom(const Nibbles& nibbles, const uint2& high) {
    CodeWords<kWords> codes = nibblesAt<2>(nibbles);
    addPairs<6>(codes, high);
    return codes;
  }
};

} // namespace llcuda
