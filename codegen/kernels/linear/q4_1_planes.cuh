// SPDX-License-Identifier: Apache-2.0
// q4_1_planes: weight = d * code + m. The sum of m * x is m times the stored {d * sum} of the input.
#pragma once

#include "codegen/kernels/linear/weight_traits.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ4_1Planes, kColumns> {
  static constexpr auto kLayout = WeightLayout::kQ4_1Planes;
  static constexpr int kUnit = 32, kScaleStep = 32;
  using Scale = uint32_t; ///< d, m
  struct Unit {
    uint4 codes;
    Scale scale;
  };
  using Piece = uint32_t;

  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return loadStream(granuleOf<uint32_t, kLayout, kColumns, WeightPlane::kScales>(planes, row, unit));
  }
  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit)),
            loadScale(planes, row, unit)};
  }
  static LLCUDA_DEVICE Piece loadPiece(const WeightPlanes& planes, int row, int unit) {
    return loadPieceWord(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit));
  }
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) { return nibbleCodes(w.codes); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const Piece& piece) { return nibbleCodes(piece); }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int part) { return scaleOf(w.scale, part); }
  static LLCUDA_DEVICE float2 scaleOf(Scale scale, int) { return halvesOf(scale); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }
};

} // namespace llcuda
