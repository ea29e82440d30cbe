// SPDX-License-Identifier: Apache-2.0
// q3_k_planes: weight = d * (scale - 32) * code, a code of three bits with its sign, scale of 16 weights.
//
// The 12 bytes of the scales of 256 weights: two words of nibbles, nibble g the low four bits of scale g, and a word of
// pairs, pair g its upper two.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ3_KPlanes, kColumns> {
  static constexpr auto kLayout = WeightLayout::kQ3_KPlanes;
  static constexpr int kUnit = 32, kScaleStep = 16;
  struct Scale {
    uint32_t lowScales;   ///< the word of nibbles that has those of the unit
    uint32_t upperScales; ///< the word of pairs
    int group;            ///< of 8 units
    WordPart d;
  };
  struct Record {
    uint32_t words[3];
    WordPart d;
  };
  struct Unit {
    uint2 codes;
    uint32_t high;
  };
  using Piece = Unit;

  static LLCUDA_DEVICE Record loadRecord(const WeightPlanes& planes, int row, int record) {
    const uint32_t* scales = granuleOf<uint32_t, kLayout, kColumns, WeightPlane::kScales>(planes, row, record);
    return {{loadStream(scales), loadStream(scales + 1), loadStream(scales + 2)},
            loadGranulePart<kLayout, kColumns, WeightPlane::kSupers>(planes, row, record)};
  }
  static LLCUDA_DEVICE Scale scaleAt(const Record& record, int unit) {
    return {unit < 4 ? record.words[0] : record.words[1], record.words[2], unit, record.d};
  }
  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    const uint32_t* scales = granuleOf<uint32_t, kLayout, kColumns, WeightPlane::kScales>(planes, row, unit / 8);
    const int group = unit % 8;
    return {loadStream(scales + group / 4), loadStream(scales + 2), group,
            loadGranulePart<kLayout, kColumns, WeightPlane::kSupers>(planes, row, unit / 8)};
  }
  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(granuleOf<uint2, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit)),
            loadStream(granuleOf<uint32_t, kLayout, kColumns, WeightPlane::kHigh>(planes, row, unit))};
  }
  static LLCUDA_DEVICE Piece loadPiece(const WeightPlanes& planes, int row, int unit) {
    return {loadReadOnly(granuleOf<uint2, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit)),
            loadReadOnly(granuleOf<uint32_t, kLayout, kColumns, WeightPlane::kHigh>(planes, row, unit))};
  }
  /// 32 * code
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) { return codesFrom<8>(w.codes, w.high); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const Piece& piece) { return codesFrom<2>(piece.codes, piece.high); }
  static LLCUDA_DEVICE float2 scaleOf(const Scale& scale, int part) {
    return make_float2(scale.d.half() * 0.03125f * static_cast<float>(scaleCode(scale, part)), 0.f);
  }

private:
  template <int kWords>
  static LLCUDA_DEVICE CodeWords<kWords> codesFrom(const uint2& pairs, uint32_t high) {
    CodeWords<kWords> codes = {};
    addPairs<5>(codes, pairs);
    addBits<7>(codes, high);
    return codes;
  }
  static LLCUDA_DEVICE int scaleCode(const Scale& scale, int part) {
    const uint32_t low = scale.lowScales >> (8 * (scale.group & 3)), upper = scale.upperScales >> (4 * scale.group);
    return static_cast<int>((low >> (4 * part) & 15) | (upper >> (2 * part) & 3) << 4) - 32;
  }
};

} // namespace llcuda
