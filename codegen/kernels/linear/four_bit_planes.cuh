// SPDX-License-Identifier: Apache-2.0
// nf4_planes, fp4_planes and their short forms: weight = table[code] * absmax, absmax of 64 or 32 weights, times f32
// rows.
//
//   numerics  the table as f16, a relative error of 2^-12 at most in a weight; products and sums in f32; absmax last.
//             `four` takes the f32 table
//   sm_75     both bytes of a table value by prmt, two conversions of a half, one fma for each weight
#pragma once

#include "codegen/formats/nf4.h"
#include "codegen/kernels/linear/dense_rows.cuh"
#include "codegen/kernels/linear/level_codes.cuh"

namespace llcuda {

/// Byte `part` (0 low, 1 high) of the f16 of each value.
LLCUDA_DEVICE constexpr LevelTable halfTable(const float (&values)[16], int part) {
  LevelTable table = {};
  for (int i = 0; i < 16; ++i) {
    const uint32_t bits = formats::floatToHalf(values[i]);
    table.word[i / 4] |= (bits >> (8 * part) & 0xff) << (i % 4 * 8);
  }
  return table;
}

/// Values of 8 weights before absmax: f16, two in each word, in order.
struct HalfWords {
  uint32_t word[4];
};

/// kAbsmaxStep weights share a largest magnitude.
template <int kColumns, int kAbsmaxStep, const float (&kValues)[16]>
struct FourBitTraits {
  static constexpr int kUnit = 8, kAhead = 8;
  static constexpr LevelTable kLow = halfTable(kValues, 0), kHigh = halfTable(kValues, 1);
  struct Input {
    float4 x0, x1;
  };
  struct Unit {
    uint32_t codes;
    float absmax;
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    const auto* absmax = reinterpret_cast<const uint32_t*>(planes.scales) + row * (kColumns / kAbsmaxStep);
    return {loadStream(reinterpret_cast<const uint32_t*>(planes.codes) + row * (kColumns / 8) + unit),
            bitCast<float>(loadReadOnly(absmax + unit / (kAbsmaxStep / 8)))};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    const float* x = rows.x + row * kColumns + 8 * unit;
    return {loadFour(x), loadFour(x + 4)};
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x) {
    const HalfWords v = halves(w);
    const float2 a = halvesOf(v.word[0]), b = halvesOf(v.word[1]), c = halvesOf(v.word[2]), d = halvesOf(v.word[3]);
    return w.absmax * dotFour(make_float4(a.x, a.y, b.x, b.y), x.x0, dotFour(make_float4(c.x, c.y, d.x, d.y), x.x1));
  }
  static LLCUDA_DEVICE HalfWords halves(const Unit& w) {
    const uint2 low = levelsOf(w.codes, kLow.word), high = levelsOf(w.codes, kHigh.word);
    return {{bytePermute(low.x, high.x, 0x5140), bytePermute(low.x, high.x, 0x7362), bytePermute(low.y, high.y, 0x5140),
             bytePermute(low.y, high.y, 0x7362)}};
  }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    const Unit unit = load(planes, row, column / 8);
    const uint32_t codes = unit.codes >> (column % 8 * 4);
    return make_float4(kValues[codes & 15] * unit.absmax, kValues[codes >> 4 & 15] * unit.absmax,
                       kValues[codes >> 8 & 15] * unit.absmax, kValues[codes >> 12 & 15] * unit.absmax);
  }
};

template <int kColumns>
struct WeightTraits<WeightLayout::kNf4Planes, kColumns> : FourBitTraits<kColumns, 64, formats::kNf4Values> {};
template <int kColumns>
struct WeightTraits<WeightLayout::kNf4ShortPlanes, kColumns> : FourBitTraits<kColumns, 32, formats::kNf4Values> {};
template <int kColumns>
struct WeightTraits<WeightLayout::kFp4Planes, kColumns> : FourBitTraits<kColumns, 64, formats::kFp4Values> {};
template <int kColumns>
struct WeightTraits<WeightLayout::kFp4ShortPlanes, kColumns> : FourBitTraits<kColumns, 32, formats::kFp4Values> {};

} // namespace llcuda
