// SPDX-License-Identifier: Apache-2.0
// q5_0_planes: weight = d * code, a code of five bits with its sign.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ5_0Planes, kColumns> {
  static constexpr auto kLayout = WeightLayout::kQ5_0Planes;
  static constexpr int kUnit = 32, kScaleStep = 32;
  using Scale = WordPart; ///< d
  struct Unit {
    uint4 codes;
    uint32_t high;
    Scale scale;
  };
  struct Piece {
    uint32_t codes, high;
  };

  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return loadGranulePart<kLayout, kColumns, WeightPlane::kScales>(planes, row, unit);
  }
  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit)),
            loadStream(granuleOf<uint32_t, kLayout, kColumns, WeightPlane::kHigh>(planes, row, unit)),
            loadScale(planes, row, unit)};
  }
  static LLCUDA_DEVICE Piece loadPiece(const WeightPlanes& planes, int row, int unit) {
    return {loadPieceWord(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit)),
            loadReadOnly(granuleOf<uint32_t, kLayout, kColumns, WeightPlane::kHigh>(planes, row, unit))};
  }
  /// 8 * code
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) { return codesFrom<8>(w.codes, w.high); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const Piece& piece) { return codesFrom<2>(piece.codes, piece.high); }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int part) { return scaleOf(w.scale, part); }
  static LLCUDA_DEVICE float2 scaleOf(const Scale& d, int) { return make_float2(d.half() * 0.125f, 0.f); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }

private:
  template <int kWords, typename Nibbles>
  static LLCUDA_DEVICE CodeWords<kWords> codesFrom(const Nibbles& nibbles, const uint32_t& high) {
    CodeWords<kWords> codes = nibblesAt<3>(nibbles);
    addBits<7>(codes, high);
    return codes;
  }
};

} // namespace llcuda
