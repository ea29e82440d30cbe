// SPDX-License-Identifier: Apache-2.0
// nf4_planes, fp4_planes and their short forms: weight = table[code] * absmax, absmax of 64 or 32 weights, times int8
// rows.
//
//   numerics  in a decode linear the table in steps of absmax / 8191, an error of half a step; products and sums of 32
//             weights are exact. For tensor cores the table as f16, a relative error of 2^-12. `four` takes the f32
//             table
//   sm_75     a table value is two numbers of seven bits, each a byte of two prmt and two dp4a: 2.4 instructions for
//             each weight
#pragma once

#include "codegen/formats/nf4.h"
#include "codegen/kernels/linear/level_codes.cuh"

namespace llcuda {

/// Byte `part` (0 low, 1 high) of the f16 of each value.
LLCUDA_DEVICE constexpr LevelTable halfTable(const float (&values)[16], int part) {
  return tableOfBytes([&](int i) { return formats::floatToHalf(values[i]) >> (8 * part); });
}

constexpr int kTableOne = 8191; ///< what 1 is in a table of steps

/// Seven bits of kTableOne + 1 + kTableOne * value: from bit 7 on for part 1, the lowest for part 0.
LLCUDA_DEVICE constexpr LevelTable stepTable(const float (&values)[16], int part) {
  return tableOfBytes([&](int i) {
    const float steps = values[i] * kTableOne;
    const int rounded = static_cast<int>(steps + (steps < 0 ? -0.5f : 0.5f)) + kTableOne + 1;
    return rounded >> (7 * part) & 127;
  });
}

/// Values of 8 weights before absmax: f16, two in each word, in order.
struct HalfWords {
  uint32_t word[4];
};

/// kAbsmaxStep weights share a largest magnitude.
template <WeightLayout kLayout, int kColumns, int kAbsmaxStep, const float (&kValues)[16]>
struct FourBitTraits {
  static constexpr int kUnit = 32;
  static constexpr LevelTable kLowSteps = stepTable(kValues, 0), kHighSteps = stepTable(kValues, 1);
  static constexpr LevelTable kLow = halfTable(kValues, 0), kHigh = halfTable(kValues, 1);
  using Input = Int8Input;
  struct Unit {
    uint4 codes;
    float absmax;
  };
  struct Eight {
    uint32_t codes;
    float absmax;
  };

  static LLCUDA_DEVICE float loadAbsmax(const WeightPlanes& planes, int row, int column) {
    return bitCast<float>(
        loadStream(granuleOf<uint32_t, kLayout, kColumns, WeightPlane::kScales>(planes, row, column / kAbsmaxStep)));
  }
  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit)),
            loadAbsmax(planes, row, 32 * unit)};
  }
  static LLCUDA_DEVICE Eight loadEight(const WeightPlanes& planes, int row, int eight) {
    // Of two words, which have four of them each, in their lower or upper halves.
    const uint2* words = granuleOf<uint2, kLayout, kColumns, WeightPlane::kCodes>(planes, row, eight / 4) + eight % 2;
    const uint2 both = loadStream(words);
    return {bytePermute(both.x, both.y, eight % 4 < 2 ? 0x5410u : 0x7632u), loadAbsmax(planes, row, 8 * eight)};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    return loadInt8Input<kColumns>(rows, row, unit);
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x, float start) {
    constexpr float kStep = 1.f / kTableOne, kOffset = (kTableOne + 1.f) / kTableOne;
    const int steps = 128 * dotLowLevels(w.codes, kHighSteps, x) + dotLowLevels(w.codes, kLowSteps, x);
    const float value = fusedMultiplyAdd(kStep * x.scale.x, static_cast<float>(steps), -kOffset * x.scale.y);
    return fusedMultiplyAdd(w.absmax, value, start);
  }
  static LLCUDA_DEVICE HalfWords halves(const Eight& w) {
    const uint2 low = levelsOf(w.codes, kLow.word), high = levelsOf(w.codes, kHigh.word);
    return {{bytePermute(low.x, high.x, 0x5140), bytePermute(low.x, high.x, 0x7362), bytePermute(low.y, high.y, 0x5140),
             bytePermute(low.y, high.y, 0x7362)}};
  }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    const Eight eight = loadEight(planes, row, column / 8);
    const uint32_t codes = eight.codes >> (column % 8 * 4);
    return make_float4(kValues[codes & 15] * eight.absmax, kValues[codes >> 4 & 15] * eight.absmax,
                       kValues[codes >> 8 & 15] * eight.absmax, kValues[codes >> 12 & 15] * eight.absmax);
  }
};

template <int kColumns>
struct WeightTraits<WeightLayout::kNf4Planes, kColumns>
    : FourBitTraits<WeightLayout::kNf4Planes, kColumns, 64, formats::kNf4Values> {};
template <int kColumns>
struct WeightTraits<WeightLayout::kNf4ShortPlanes, kColumns>
    : FourBitTraits<WeightLayout::kNf4ShortPlanes, kColumns, 32, formats::kNf4Values> {};
template <int kColumns>
struct WeightTraits<WeightLayout::kFp4Planes, kColumns>
    : FourBitTraits<WeightLayout::kFp4Planes, kColumns, 64, formats::kFp4Values> {};
template <int kColumns>
struct WeightTraits<WeightLayout::kFp4ShortPlanes, kColumns>
    : FourBitTraits<WeightLayout::kFp4ShortPlanes, kColumns, 32, formats::kFp4Values> {};

} // namespace llcuda
