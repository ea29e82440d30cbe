// SPDX-License-Identifier: Apache-2.0
// nf4_planes, fp4_planes and their short forms: weight = table[code] * absmax, absmax of 64 or 32 weights, times int8
// rows.
//
//   numerics  in a decode linear the table in steps of absmax / 8191, an error of half a step; products and sums of 32
//             weights are exact. For tensor cores as int8 levels, in steps of absmax / 112 (NF4) and absmax / 120
//             (FP4): errors of at most 0.39 % and 0.32 % of absmax, 0.17 % and 0.11 % rms over the table, an NMSE of
//             1.1e-5 and 5.1e-6, where the int8 rows they meet have 2e-5. `four` takes the f32 table
//   sm_75     a table value is two numbers of seven bits, each a byte of two prmt and two dp4a: 2.4 instructions for
//             each weight
#pragma once

#include "codegen/formats/nf4.h"
#include "codegen/kernels/linear/level_codes.cuh"

namespace llcuda {

constexpr int kTableOne = 8191; ///< what 1 is in a table of steps

/// Seven bits of kTableOne + 1 + kTableOne * value: from bit 7 on for part 1, the lowest for part 0.
LLCUDA_DEVICE constexpr LevelTable stepTable(const float (&values)[16], int part) {
  return tableOfBytes([&](int i) {
    const float steps = values[i] * kTableOne;
    const int rounded = static_cast<int>(steps + (steps < 0 ? -0.5f : 0.5f)) + kTableOne + 1;
    return rounded >> (7 * part) & 127;
  });
}

/// The table as int8 levels, of which `one` is 1.
LLCUDA_DEVICE constexpr LevelTable levelTable(const float (&values)[16], int one) {
  return tableOfBytes([&](int i) {
    const float level = values[i] * static_cast<float>(one);
    return static_cast<int>(level + (level < 0 ? -0.5f : 0.5f));
  });
}

/// The number of levels up to 1 with the least error over the table: of NF4, whose codes are about as frequent as one
/// another, in the mean square; FP4's are twelfths, and a 192nd.
constexpr int kNf4LevelOne = 112, kFp4LevelOne = 120;

/// kAbsmaxStep weights share a largest magnitude.
template <WeightLayout kLayout, int kColumns, int kAbsmaxStep, const float (&kValues)[16], int kLevelOne>
struct FourBitTraits {
  static constexpr int kUnit = 32, kScaleStep = 32;
  static constexpr LevelTable kLowSteps = stepTable(kValues, 0), kHighSteps = stepTable(kValues, 1);
  static constexpr LevelTable kLevels = levelTable(kValues, kLevelOne);
  using Input = Int8Input;
  using Scale = float; ///< absmax
  struct Unit {
    uint4 codes;
    Scale scale;
  };
  using Piece = uint32_t;

  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return bitCast<float>(loadStream(
        granuleOf<uint32_t, kLayout, kColumns, WeightPlane::kScales>(planes, row, unit / (kAbsmaxStep / 32))));
  }
  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit)),
            loadScale(planes, row, unit)};
  }
  static LLCUDA_DEVICE Piece loadPiece(const WeightPlanes& planes, int row, int unit) {
    return loadPieceWord(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit));
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x, float start) {
    constexpr float kStep = 1.f / kTableOne, kOffset = (kTableOne + 1.f) / kTableOne;
    const int steps = 128 * dotLowLevels(w.codes, kHighSteps, x) + dotLowLevels(w.codes, kLowSteps, x);
    const float value = fusedMultiplyAdd(kStep * x.scale.x, static_cast<float>(steps), -kOffset * x.scale.y);
    return fusedMultiplyAdd(w.scale, value, start);
  }
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) { return levelCodes(w.codes, kLevels); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const Piece& piece) { return levelCodes(piece, kLevels); }
  static LLCUDA_DEVICE float2 scaleOf(const Scale& scale, int) { return make_float2(scale * (1.f / kLevelOne), 0.f); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    const uint32_t* words = granuleOf<uint32_t, kLayout, kColumns, WeightPlane::kCodes>(planes, row, column / 32);
    const uint32_t codes = loadStream(words + column % 16 / 4) >> (column % 32 / 16 * 16);
    const float absmax = loadScale(planes, row, column / 32);
    return make_float4(kValues[codes & 15] * absmax, kValues[codes >> 4 & 15] * absmax,
                       kValues[codes >> 8 & 15] * absmax, kValues[codes >> 12 & 15] * absmax);
  }
};

template <int kColumns>
struct WeightTraits<WeightLayout::kNf4Planes, kColumns>
    : FourBitTraits<WeightLayout::kNf4Planes, kColumns, 64, formats::kNf4Values, kNf4LevelOne> {};
template <int kColumns>
struct WeightTraits<WeightLayout::kNf4ShortPlanes, kColumns>
    : FourBitTraits<WeightLayout::kNf4ShortPlanes, kColumns, 32, formats::kNf4Values, kNf4LevelOne> {};
template <int kColumns>
struct WeightTraits<WeightLayout::kFp4Planes, kColumns>
    : FourBitTraits<WeightLayout::kFp4Planes, kColumns, 64, formats::kFp4Values, kFp4LevelOne> {};
template <int kColumns>
struct WeightTraits<WeightLayout::kFp4ShortPlanes, kColumns>
    : FourBitTraits<WeightLayout::kFp4ShortPlanes, kColumns, 32, formats::kFp4Values, kFp4LevelOne> {};

} // namespace llcuda
