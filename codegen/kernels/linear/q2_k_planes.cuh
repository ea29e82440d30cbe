// SPDX-License-Identifier: Apache-2.0
// q2_k_planes: weight = d * scale * code - dmin * min, scale and min of 16 weights, four bits each.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ2_KPlanes, kColumns> {
  static constexpr auto kLayout = WeightLayout::kQ2_KPlanes;
  static constexpr int kUnit = 32, kScaleStep = 16;
  struct Scale {
    WordPart scales; ///< two bytes, scale low and min high
    uint32_t d;      ///< d, dmin
  };
  struct Record {
    uint4 scales;
    uint32_t d;
  };
  struct Unit {
    uint2 codes;
    Scale scale;
  };
  using Piece = uint2;

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
    return {loadStream(granuleOf<uint2, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit)),
            loadScale(planes, row, unit)};
  }
  static LLCUDA_DEVICE Piece loadPiece(const WeightPlanes& planes, int row, int unit) {
    return loadReadOnly(granuleOf<uint2, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit));
  }
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) { return codesOfPairs<8>(w.codes); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const Piece& piece) { return codesOfPairs<2>(piece); }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int part) { return scaleOf(w.scale, part); }
  static LLCUDA_DEVICE float2 scaleOf(const Scale& scale, int part) {
    const float2 d = halvesOf(scale.d);
    return make_float2(d.x * static_cast<float>(scaleCode(scale, part)),
                       -(d.y * static_cast<float>(minCode(scale, part))));
  }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }

private:
  static LLCUDA_DEVICE int scaleCode(const Scale& scale, int part) {
    return static_cast<int>(scale.scales.bits() >> (8 * part) & 15);
  }
  static LLCUDA_DEVICE int minCode(const Scale& scale, int part) {
    return static_cast<int>(scale.scales.bits() >> (8 * part + 4) & 15);
  }
};

} // namespace llcuda
