// SPDX-License-Identifier: Apache-2.0
// How a decode linear reads a layout. One header for each layout specialises WeightTraits:
//
//   kUnit            weights of a row that a lane reads at a time, as WeightFacts says
//   Unit             the unit's codes in registers, of a layout without int8 codes its scales too; Unit{} is zeros
//   load             one unit of a row
//   dot              of a layout without int8 codes: the sum of the unit's products with as many elements of a row of
//                    x, Input, as loadInput reads them or, where these are int8, loadInt8Input, and of what it starts
//                    at
//   Halves           of a layout that tensor cores multiply as f16: of 16 weights elements 4q ... 4q + 3, which lane q
//                    of four takes; loadHalves reads them by rows and units of 16 columns from where halvesFrom says,
//                    which moveHalves moves
//   kScaleStep       of a layout that tensor cores multiply as int8: codes that share a scale, as WeightFacts says
//   codes            the unit as int8 codes, CodeWords<kUnit / 4>, in the order of the elements
//   Scale            the scales of 32 weights; loadScale reads them, scaleOf(scale, i) is {scale, minimum} of part i of
//                    kScaleStep codes: weight = scale * code + minimum
//   Record           of a layout whose scales lie by 256 weights: those of 8 times 32; loadRecord reads them, and
//                    scaleAt(record, i) is the Scale of 32 of them
//   Piece            of 32 weights what lane q of four takes to tensor cores, as loadPiece reads it; pieceCodes makes
//                    of it the int8 codes of elements 4q ... 4q + 3 and 16 + 4q ... 16 + 4q + 3
//   four             of a layout without int8 codes: as fourOf
//
// kColumns is the length of a row, a multiple of the layout's block; a row is less than what the weight stores. Codes
// are loaded 16 bytes at a time (8 where there are two bits of each), and no load is narrower than 4 bytes: what is
// smaller is cut out of a word that neighbouring lanes share. Codes of 5 and 6 bits with a sign are made in the upper
// bits of their bytes, so that the sign costs nothing: they are 8 or 4 times the code, and the scale an eighth or a
// fourth.
#pragma once

#include "codegen/formats/int8_rows.h"
#include "codegen/formats/weight_layout.h"
#include "codegen/kernels/ptx/dot.cuh"
#include "codegen/kernels/ptx/half.cuh"
#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

/// The planes of a weight.
struct WeightPlanes {
  const uint8_t* codes;
  const uint8_t* high;
  const uint8_t* scales;
  const uint8_t* supers;
};

/// Of a weight of `rows` rows.
template <WeightLayout kLayout, int kColumns>
LLCUDA_DEVICE WeightPlanes planesOf(const uint8_t* weight, int rows) {
  static_assert(kColumns % weightBlockBytes(kLayout).columns == 0, "whole blocks");
  const auto plane = [&](WeightPlane which) { return weight + weightPlaneOffset(kLayout, which, rows, kColumns); };
  return {plane(WeightPlane::kCodes), plane(WeightPlane::kHigh), plane(WeightPlane::kScales),
          plane(WeightPlane::kSupers)};
}

/// Where the granules of one number lie of the rows of a tile.
template <WeightLayout kLayout, int kColumns, WeightPlane kPlane>
LLCUDA_DEVICE const uint8_t* granulesOf(const WeightPlanes& planes, unsigned tile, int granule) {
  constexpr uint64_t kTileBytes = weightGranuleOffset(kLayout, kPlane, kColumns, 1, 0);
  const uint8_t* plane = kPlane == WeightPlane::kCodes    ? planes.codes
                         : kPlane == WeightPlane::kHigh   ? planes.high
                         : kPlane == WeightPlane::kScales ? planes.scales
                                                          : planes.supers;
  return plane + tile * kTileBytes +
         static_cast<unsigned>(granule) * weightGranuleOffset(kLayout, kPlane, kColumns, 0, 1);
}

/// A granule of a row.
template <typename T, WeightLayout kLayout, int kColumns, WeightPlane kPlane>
LLCUDA_DEVICE const T* granuleOf(const WeightPlanes& planes, int row, int granule) {
  constexpr unsigned kBytes = weightGranuleBytes(kLayout, kPlane);
  static_assert(kBytes % sizeof(T) == 0, "aligned to it");
  const auto line = static_cast<unsigned>(row);
  return reinterpret_cast<const T*>(granulesOf<kLayout, kColumns, kPlane>(planes, line / kWeightTileRows, granule) +
                                    line % kWeightTileRows * kBytes);
}

/// Rows of activations in both forms; a layout reads one of them. Int8 rows are in fewRowsOrder for linears of few
/// rows, in the order of fragments for those of many.
struct InputRows {
  const float* x;       ///< [rows][kColumns]
  const int8_t* codes;  ///< int8_rows.h
  const float2* scales; ///< int8_rows.h
};

template <WeightLayout kLayout, int kColumns>
struct WeightTraits;

/// Whether a layout's traits are what hosts take them for, who choose tiles by the table of encodings.inc.
template <typename Traits>
LLCUDA_DEVICE constexpr bool traitsAgree(WeightLayout layout) {
  const WeightFacts facts = weightFacts(layout);
  if constexpr (requires { Traits::kScaleStep; })
    return Traits::kUnit == facts.unit && weightHasInt8Codes(layout) && Traits::kScaleStep == facts.scaleStep;
  else if constexpr (requires { typename Traits::Halves; })
    return Traits::kUnit == facts.unit && facts.product == WeightProduct::kHalves;
  else
    return Traits::kUnit == facts.unit && facts.product == WeightProduct::kFloats;
}

/// Four int8 codes in each word.
template <int kCount>
struct CodeWords {
  uint32_t word[kCount];
};

/// 32 int8 elements and their {d, d * sum}.
struct Int8Input {
  int4 x0, x1;
  float2 scale;
};

/// Of kRows rows.
template <int kColumns, int kRows>
LLCUDA_DEVICE Int8Input loadInt8Input(const InputRows& rows, int row, int block) {
  if constexpr (fewRowsOrder(kRows) == RowOrder::kRows) {
    const int4* codes = reinterpret_cast<const int4*>(rows.codes + row * kColumns) + 2 * block;
    return {loadReadOnly(codes), loadReadOnly(codes + 1), loadReadOnly(rows.scales + row * (kColumns / 32) + block)};
  } else {
    const int4* codes = reinterpret_cast<const int4*>(rows.codes) + 2 * (block * kEightRows + row);
    const int4 first = loadReadOnly(codes), second = loadReadOnly(codes + 1);
    return {make_int4(first.x, first.z, second.x, second.z), make_int4(first.y, first.w, second.y, second.w),
            loadReadOnly(rows.scales + block * kEightRows + row)};
  }
}

/// start plus the sum of the products of 16 codes, words kFirst ... kFirst + 3.
template <int kFirst = 0, int kCount>
LLCUDA_DEVICE int dotCodes(const CodeWords<kCount>& codes, const int4& x, int start = 0) {
  return dotS8(make_uint4(codes.word[kFirst], codes.word[kFirst + 1], codes.word[kFirst + 2], codes.word[kFirst + 3]),
               x, start);
}
/// An element of 1 or 2 bytes as the word that holds it and the shift that brings it down.
struct WordPart {
  uint32_t word;
  uint32_t shift;

  LLCUDA_DEVICE uint32_t bits() const { return word >> shift; } ///< what lies above the element is not cleared
  LLCUDA_DEVICE float half() const { return toFloat(Half{static_cast<uint16_t>(bits())}); }
};

/// Element `index` of those of kBytes (1 or 2) from `first` on, which is aligned to a word.
template <int kBytes>
LLCUDA_DEVICE WordPart loadWordPart(const uint8_t* first, unsigned index) {
  constexpr unsigned kParts = 4 / kBytes;
  return {loadStream(reinterpret_cast<const uint32_t*>(first) + index / kParts), index % kParts * (8 * kBytes)};
}

/// The granule, of 1 or 2 bytes, of a row.
template <WeightLayout kLayout, int kColumns, WeightPlane kPlane>
LLCUDA_DEVICE WordPart loadGranulePart(const WeightPlanes& planes, int row, int granule) {
  const auto line = static_cast<unsigned>(row);
  return loadWordPart<weightGranuleBytes(kLayout, kPlane)>(
      granulesOf<kLayout, kColumns, kPlane>(planes, line / kWeightTileRows, granule), line % kWeightTileRows);
}

/// Codes 0 ... 15 of 32 weights.
LLCUDA_DEVICE CodeWords<8> nibbleCodes(const uint4& w) {
  constexpr uint32_t kLow = 0x0f0f0f0fu;
  return {{w.x & kLow, w.y & kLow, w.z & kLow, w.w & kLow, w.x >> 4 & kLow, w.y >> 4 & kLow, w.z >> 4 & kLow,
           w.w >> 4 & kLow}};
}
LLCUDA_DEVICE CodeWords<2> nibbleCodes(uint32_t w) {
  constexpr uint32_t kLow = 0x0f0f0f0fu;
  return {{w & kLow, w >> 4 & kLow}};
}

/// Lane q's place among the four that share a column of a fragment.
LLCUDA_DEVICE int pieceLane() {
  return laneId() % 4;
}
/// Word `lane` of the 16 bytes of 32 weights' nibbles, or of 16 weights' bytes.
LLCUDA_DEVICE uint32_t loadPieceWord(const uint4* codes, int lane = pieceLane()) {
  return loadReadOnly(reinterpret_cast<const uint32_t*>(codes) + lane);
}

/// The planes from row `row` on, for loadPiece alone, whose rows are counted from there and within the row's tile.
template <WeightLayout kLayout, int kColumns>
LLCUDA_DEVICE WeightPlanes piecePlanes(const WeightPlanes& planes, int row) {
  return {granuleOf<uint8_t, kLayout, kColumns, WeightPlane::kCodes>(planes, row, 0),
          granuleOf<uint8_t, kLayout, kColumns, WeightPlane::kHigh>(planes, row, 0), nullptr, nullptr};
}

/// ... and from so many units of 32 columns on.
template <WeightLayout kLayout, int kColumns>
LLCUDA_DEVICE void movePieces(WeightPlanes& planes, int units) {
  constexpr auto kBytes = [](WeightPlane plane) {
    return static_cast<int>(kWeightTileRows * weightRowBytes(kLayout, plane, kColumns) / (kColumns / 32));
  };
  planes.codes += units * kBytes(WeightPlane::kCodes);
  planes.high += units * kBytes(WeightPlane::kHigh);
}

LLCUDA_DEVICE uint32_t wordOf(const uint4& words, int i) {
  return i == 0 ? words.x : i == 1 ? words.y : i == 2 ? words.z : words.w;
}

LLCUDA_DEVICE int signedByte(uint32_t word, int byte) {
  return static_cast<int8_t>(word >> (8 * byte));
}

/// The signed codes of a word.
LLCUDA_DEVICE float4 floatsOf(uint32_t codes) {
  return make_float4(static_cast<float>(signedByte(codes, 0)), static_cast<float>(signedByte(codes, 1)),
                     static_cast<float>(signedByte(codes, 2)), static_cast<float>(signedByte(codes, 3)));
}

/// scale * code + minimum, one rounding for the product and one for the sum.
LLCUDA_DEVICE float4 scaledCodes(uint32_t codes, float scale, float minimum = 0.f) {
  const float4 c = floatsOf(codes);
  return make_float4(scale * c.x + minimum, scale * c.y + minimum, scale * c.z + minimum, scale * c.w + minimum);
}

/// 4 weights of a row, dequantised as the encoding's formula; `column` is a multiple of 4. Of int8 codes a lane reads
/// the whole unit, which only the embedding does.
template <typename Traits>
LLCUDA_DEVICE float4 fourOf(const WeightPlanes& planes, int row, int column) {
  if constexpr (requires { Traits::four(planes, row, column); }) {
    return Traits::four(planes, row, column);
  } else {
    const CodeWords<Traits::kUnit / 4> codes = Traits::codes(Traits::load(planes, row, column / Traits::kUnit));
    const float2 scale = Traits::scaleOf(Traits::loadScale(planes, row, column / 32), column % 32 / Traits::kScaleStep);
    const int word = column % Traits::kUnit / 4;
    uint32_t four = 0;
    LLCUDA_UNROLL
    for (int i = 0; i < Traits::kUnit / 4; ++i) four = i == word ? codes.word[i] : four;
    return scaledCodes(four, scale.x, scale.y);
  }
}

} // namespace llcuda
