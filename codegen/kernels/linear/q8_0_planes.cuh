// SPDX-License-Identifier: Apache-2.0
// q8_0_planes: weight = d * code. A unit is half a block, so that the lanes of a warp read 16 bytes side by side.
#pragma once

#include "codegen/kernels/linear/weight_traits.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ8_0Planes, kColumns> {
  static constexpr auto kLayout = WeightLayout::kQ8_0Planes;
  static constexpr int kUnit = 16, kScaleStep = 32;
  using Scale = WordPart; ///< d
  struct Unit {
    uint4 codes;
    Scale scale;
  };
  using Piece = CodeWords<2>;

  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return loadGranulePart<kLayout, kColumns, WeightPlane::kScales>(planes, row, unit);
  }
  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit)),
            loadScale(planes, row, unit / 2)};
  }
  static LLCUDA_DEVICE Piece loadPiece(const WeightPlanes& planes, int row, int unit) {
    return loadBytePiece<kLayout, kColumns>(planes, row, unit);
  }
  static LLCUDA_DEVICE CodeWords<4> codes(const Unit& w) { return {{w.codes.x, w.codes.y, w.codes.z, w.codes.w}}; }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const Piece& piece) { return piece; }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int part) { return scaleOf(w.scale, part); }
  static LLCUDA_DEVICE float2 scaleOf(const Scale& d, int) { return make_float2(d.half(), 0.f); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }
};

} // namespace llcuda
