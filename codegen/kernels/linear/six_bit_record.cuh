// SPDX-License-Identifier: Apache-2.0
// The 16 bytes that 256 weights of q4_k and q5_k have as scales: a word {f16 d, f16 dmin}; 8 bytes, byte g with the
// scale of group g in its low six bits and the low two bits of its min above; a word of 8 nibbles, nibble g with the
// upper four bits of the min. Shifts depend on the group alone, which is a constant in a decode linear.
#pragma once

#include "codegen/kernels/linear/weight_traits.cuh"

namespace llcuda {

/// factor * code, of an f16 and a code of a few bits: exactly, and without a conversion.
LLCUDA_DEVICE float timesCode(float factor, int code) {
  constexpr float kBase = 8388608.f; // whose last bits are those of a code
  return fusedMultiplyAdd(factor, bitCast<float>(0x4b000000u | static_cast<uint32_t>(code)), factor * -kBase);
}

struct SixBitRecord {
  uint4 words;
  int group; ///< that the unit is, 0 ... 7

  LLCUDA_DEVICE float2 dAndDmin() const { return halvesOf(words.x); }
  LLCUDA_DEVICE uint32_t byte() const { return (group < 4 ? words.y : words.z) >> (8 * (group & 3)); }
  LLCUDA_DEVICE int scale() const { return static_cast<int>(byte() & 63); }
  LLCUDA_DEVICE int min() const {
    const uint32_t upper = funnelShiftRight(words.w, words.w, (4 * group + 30) & 31); // at bits 2 ... 5
    return static_cast<int>((upper & 0x3c) | (byte() >> 6 & 3));
  }
};

/// {scale, minimum} of the unit's codes.
LLCUDA_DEVICE float2 scaleOfRecord(const SixBitRecord& record) {
  const float2 d = record.dAndDmin();
  return make_float2(timesCode(d.x, record.scale()), timesCode(-d.y, record.min()));
}

/// A base of WeightTraits, as those of unit_reads.cuh.
template <WeightLayout kLayout, int kColumns>
struct SixBitScales {
  using Scale = SixBitRecord;
  using Record = uint4;

  static LLCUDA_DEVICE Record loadRecord(const WeightPlanes& planes, int row, int record) {
    return loadStream(granuleOf<uint4, kLayout, kColumns, WeightPlane::kScales>(planes, row, record));
  }
  static LLCUDA_DEVICE Scale scaleAt(const Record& record, int unit) { return {record, unit}; }
  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return {loadRecord(planes, row, unit / 8), unit % 8};
  }
  static LLCUDA_DEVICE float2 scaleOf(const Scale& record, int) { return scaleOfRecord(record); }
};

} // namespace llcuda
