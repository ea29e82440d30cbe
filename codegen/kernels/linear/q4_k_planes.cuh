// SPDX-License-Identifier: Apache-2.0
// q4_k_planes: weight = d * scale * code - dmin * min, scale and min of 32 weights.
#pragma once

#include "codegen/kernels/linear/six_bit_record.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ4_KPlanes, kColumns> {
  static constexpr auto kLayout = WeightLayout::kQ4_KPlanes;
  static constexpr int kUnit = 32, kScaleStep = 32;
  using Scale = SixBitRecord;
  using Record = uint4;
  struct Unit {
    uint4 codes;
    Scale scale;
  };
  using Piece = uint32_t;

  static LLCUDA_DEVICE Record loadRecord(const WeightPlanes& planes, int row, int record) {
    return loadStream(granuleOf<uint4, kLayout, kColumns, WeightPlane::kScales>(planes, row, record));
  }
  static LLCUDA_DEVICE Scale scaleAt(const Record& record, int unit) { return {record, unit}; }
  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return SixBitRecord::load<kLayout, kColumns>(planes, row, unit);
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
  static LLCUDA_DEVICE float2 scaleOf(const Scale& record, int) { return scaleOfRecord(record); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }
};

} // namespace llcuda
