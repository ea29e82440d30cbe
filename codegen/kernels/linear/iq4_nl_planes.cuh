// SPDX-License-Identifier: Apache-2.0
// iq4_nl_planes: weight = d * kIq4Levels[code].
#pragma once

#include "codegen/kernels/linear/level_codes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kIQ4_NLPlanes, kColumns> {
  static constexpr auto kLayout = WeightLayout::kIQ4_NLPlanes;
  static constexpr int kUnit = 32, kScaleStep = 32;
  static constexpr LevelTable kLevels = levelTable(formats::kIq4Levels);
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
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) { return levelCodes(w.codes, kLevels); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const Piece& piece) { return levelCodes(piece, kLevels); }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int part) { return scaleOf(w.scale, part); }
  static LLCUDA_DEVICE float2 scaleOf(const Scale& scale, int) { return make_float2(scale.half(), 0.f); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }
};

} // namespace llcuda
