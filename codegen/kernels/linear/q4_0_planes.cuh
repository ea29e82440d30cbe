// SPDX-License-Identifier: Apache-2.0
// q4_0_planes: weight = d * (code - 8). A flipped sign takes the 8 off a code in the upper bits of its byte.
#pragma once

#include "codegen/kernels/linear/weight_traits.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ4_0Planes, kColumns> {
  static constexpr auto kLayout = WeightLayout::kQ4_0Planes;
  static constexpr int kUnit = 32, kScaleStep = 32;
  using Scale = WordPart; ///< d
  struct Unit {
    uint4 codes;
    Scale scale;
  };
  using Piece = uint32_t;

  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return loadGranulePart<kLayout, kColumns, WeightPlane::kScales>(planes, row, unit);
  }
  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit)),
            loadScale(planes, row, unit)};
  }
  static LLCUDA_DEVICE Piece loadPiece(const WeightPlanes& planes, int row, int unit) {
    return loadPieceWord(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit));
  }
  /// 16 * (code - 8)
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) {
    return {{low(w.codes.x), low(w.codes.y), low(w.codes.z), low(w.codes.w), high(w.codes.x), high(w.codes.y),
             high(w.codes.z), high(w.codes.w)}};
  }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(Piece word) { return {{low(word), high(word)}}; }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int part) { return scaleOf(w.scale, part); }
  static LLCUDA_DEVICE float2 scaleOf(const Scale& d, int) { return make_float2(d.half() * 0.0625f, 0.f); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }

private:
  static constexpr uint32_t kHigh = 0xf0f0f0f0u, kSign = 0x80808080u;
  static LLCUDA_DEVICE uint32_t low(uint32_t word) { return (word << 4 & kHigh) ^ kSign; }
  static LLCUDA_DEVICE uint32_t high(uint32_t word) { return (word & kHigh) ^ kSign; }
};

} // namespace llcuda
