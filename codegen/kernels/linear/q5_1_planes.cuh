// SPDX-License-Identifier: Apache-2.0
// q5_1_planes: weight = d * code + m. The sum of m * x is m times the stored {d * sum} of the input.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ5_1Planes, kColumns> {
  static constexpr auto kLayout = WeightLayout::kQ5_1Planes;
  static constexpr int kUnit = 32, kScaleStep = 32;
  using Scale = uint32_t; ///< d, m
  struct Unit {
    uint4 codes;
    uint32_t high;
    Scale scale;
  };
  struct Piece {
    uint32_t codes, high;
  };

  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return loadStream(granuleOf<uint32_t, kLayout, kColumns, WeightPlane::kScales>(planes, row, unit));
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
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) { return codesFrom<8>(w.codes, w.high); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const Piece& piece) { return codesFrom<2>(piece.codes, piece.high); }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int part) { return scaleOf(w.scale, part); }
  static LLCUDA_DEVICE float2 scaleOf(Scale scale, int) { return halvesOf(scale); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }

private:
  template <int kWords, typename Nibbles>
  static LLCUDA_DEVICE CodeWords<kWords> codesFrom(const Nibbles& nibbles, const uint32_t& high) {
    CodeWords<kWords> codes = nibblesAt<0>(nibbles);
    addBits<4>(codes, high);
    return codes;
  }
};

} // namespace llcuda
