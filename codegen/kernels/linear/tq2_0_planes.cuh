// SPDX-License-Identifier: Apache-2.0
// tq2_0_planes: weight = d * (code - 1), a d for 256 weights. The 1 is taken from the stored sum of the input's codes.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kTQ2_0Planes, kColumns> : PairReads<WeightLayout::kTQ2_0Planes, kColumns> {
  static constexpr int kScaleStep = 32;
  using Scale = WordPart; ///< d
  using Record = WordPart;

  static LLCUDA_DEVICE Record loadRecord(const WeightPlanes& planes, int row, int record) {
    return loadGranulePart<WeightLayout::kTQ2_0Planes, kColumns, WeightPlane::kScales>(planes, row, record);
  }
  static LLCUDA_DEVICE Scale scaleAt(const Record& record, int) { return record; }
  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return loadRecord(planes, row, unit / 8);
  }
  static LLCUDA_DEVICE CodeWords<8> codes(const uint2& pairs) { return lessOne(codesOfPairs<8>(pairs)); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const uint2& pairs) { return lessOne(codesOfPairs<2>(pairs)); }
  static LLCUDA_DEVICE float2 scaleOf(const Scale& d, int) { return make_float2(d.half(), 0.f); }

private:
  template <int kWords>
  static LLCUDA_DEVICE CodeWords<kWords> lessOne(CodeWords<kWords> codes) {
    constexpr uint32_t kSign = 0x80808080u, kOne = 0x01010101u;
    LLCUDA_UNROLL
    for (uint32_t& word : codes.word) word = ((word | kSign) - kOne) ^ kSign; // no byte borrows from the next
    return codes;
  }
};

} // namespace llcuda
