// SPDX-License-Identifier: Apache-2.0
// q5_k_planes: weight = d * scale * code - dmin * min, scale and min of 32 weights.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"
#include "codegen/kernels/linear/six_bit_record.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ5_KPlanes, kColumns> {
  static constexpr auto kLayout = WeightLayout::kQ5_KPlanes;
  static constexpr int kUnit = 32, kScaleStep = 32;
  using Scale = SixBitRecord;
  using Record = uint4;
  struct Unit {
    uint4 codes;
    uint32_t high;
    Scale scale;
  };
  struct Piece {
    uint32_t codes, high;
  };

  static LLCUDA_DEVICE Record loadRecord(const WeightPlanes& planes, int row, int record) {
    return loadStream(granuleOf<uint4, kLayout, kColumns, WeightPlane::kScales>(planes, row, record));
  }
  static LLCUDA_DEVICE Scale scaleAt(const Record& record, int unit) { return {record, unit}; }
  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return SixBitRecord::load<kLayout, kColumns>(planes, row, unit);
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
  static LLCUDA_DEVICE float2 scaleOf(const Scale& record, int) { return scaleOfRecord(record); }
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
