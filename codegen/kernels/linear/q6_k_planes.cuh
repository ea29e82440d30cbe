// SPDX-License-Identifier: Apache-2.0
// q6_k_planes: weight = d * scale * code, a code of six bits with its sign, scale of 16 weights.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ6_KPlanes, kColumns> {
  static constexpr auto kLayout = WeightLayout::kQ6_KPlanes;
  static constexpr int kUnit = 32, kScaleStep = 16;
  struct Scale {
    WordPart scales; ///< two signed bytes
    uint32_t d;      ///< an f32
  };
  struct Record {
    uint4 scales;
    uint32_t d;
  };
  struct Unit {
    uint4 codes;
    uint2 high;
    Scale scale;
  };
  struct Piece {
    uint32_t codes;
    uint2 high;
  };

  static LLCUDA_DEVICE Record loadRecord(const WeightPlanes& planes, int row, int record) {
    return {loadStream(granuleOf<uint4, kLayout, kColumns, WeightPlane::kScales>(planes, row, record)),
            loadStream(granuleOf<uint32_t, kLayout, kColumns, WeightPlane::kSupers>(planes, row, record))};
  }
  static LLCUDA_DEVICE Scale scaleAt(const Record& record, int unit) {
    return {{wordOf(record.scales, unit / 2), unit % 2 * 16u}, record.d};
  }
  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    const uint8_t* scales = granuleOf<uint8_t, kLayout, kColumns, WeightPlane::kScales>(planes, row, unit / 8);
    return {loadWordPart<2>(scales, static_cast<unsigned>(unit) % 8),
            loadStream(granuleOf<uint32_t, kLayout, kColumns, WeightPlane::kSupers>(planes, row, unit / 8))};
  }
  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit)),
            loadStream(granuleOf<uint2, kLayout, kColumns, WeightPlane::kHigh>(planes, row, unit)),
            loadScale(planes, row, unit)};
  }
  static LLCUDA_DEVICE Piece loadPiece(const WeightPlanes& planes, int row, int unit) {
    return {loadPieceWord(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit)),
            loadReadOnly(granuleOf<uint2, kLayout, kColumns, WeightPlane::kHigh>(planes, row, unit))};
  }
  /// 4 * code
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) { return codesFrom<8>(w.codes, w.high); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const Piece& piece) { return codesFrom<2>(piece.codes, piece.high); }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int part) { return scaleOf(w.scale, part); }
  static LLCUDA_DEVICE float2 scaleOf(const Scale& scale, int part) {
    const auto code = static_cast<float>(signedByte(scale.scales.bits(), part));
    return make_float2(bitCast<float>(scale.d) * 0.25f * code, 0.f);
  }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
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
