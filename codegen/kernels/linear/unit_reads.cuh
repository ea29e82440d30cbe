// SPDX-License-Identifier: Apache-2.0
// Bases of WeightTraits: how the codes of 32 weights lie, and how their scales do. A layout of int8 codes has one of
// each and adds what is its own: the codes, and what the scales are.
//
//   NibbleReads, NibbleBitReads, PairReads, ByteReads   kUnit, Unit, load, Piece, loadPiece
//   PartScales     one element of 1 or 2 bytes for 32 weights
//   HalfPairScales f16 d and m for 32 weights
//   BytePairScales two bytes for 32 weights, of 256 a record of those and a word
#pragma once

#include "codegen/kernels/linear/weight_traits.cuh"

namespace llcuda {

/// A granule of a row, by all lanes of a warp at a time: of rows that lie side by side.
template <typename T, WeightLayout kLayout, int kColumns, WeightPlane kPlane>
LLCUDA_DEVICE T streamGranule(const WeightPlanes& planes, int row, int granule) {
  return loadStream(granuleOf<T, kLayout, kColumns, kPlane>(planes, row, granule));
}

template <WeightLayout kLayout, int kColumns>
struct NibbleReads {
  static constexpr int kUnit = 32;
  using Unit = uint4;
  using Piece = uint32_t;

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return streamGranule<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit);
  }
  static LLCUDA_DEVICE Piece loadPiece(const WeightPlanes& planes, int row, int unit) {
    return loadPieceWord(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit));
  }
};

/// Bits of type High of 32 weights beside their nibbles: one of each, or two.
template <WeightLayout kLayout, int kColumns, typename High>
struct NibbleBitReads {
  static constexpr int kUnit = 32;
  struct Unit {
    uint4 codes;
    High high;
  };
  struct Piece {
    uint32_t codes;
    High high;
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {streamGranule<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit),
            streamGranule<High, kLayout, kColumns, WeightPlane::kHigh>(planes, row, unit)};
  }
  static LLCUDA_DEVICE Piece loadPiece(const WeightPlanes& planes, int row, int unit) {
    return {loadPieceWord(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit)),
            loadReadOnly(granuleOf<High, kLayout, kColumns, WeightPlane::kHigh>(planes, row, unit))};
  }
};

template <WeightLayout kLayout, int kColumns>
struct PairReads {
  static constexpr int kUnit = 32;
  using Unit = uint2;
  using Piece = uint2;

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return streamGranule<uint2, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit);
  }
  static LLCUDA_DEVICE Piece loadPiece(const WeightPlanes& planes, int row, int unit) {
    return loadReadOnly(granuleOf<uint2, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit));
  }
};

/// Signed bytes, which are the codes.
template <WeightLayout kLayout, int kColumns>
struct ByteReads {
  static constexpr int kUnit = 16;
  using Unit = uint4;
  using Piece = CodeWords<2>;

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return streamGranule<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit);
  }
  static LLCUDA_DEVICE Piece loadPiece(const WeightPlanes& planes, int row, int unit) {
    const auto half = [&](int i) {
      return loadPieceWord(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, 2 * unit + i));
    };
    return {{half(0), half(1)}};
  }
  static LLCUDA_DEVICE CodeWords<4> codes(const Unit& w) { return {{w.x, w.y, w.z, w.w}}; }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const Piece& piece) { return piece; }
};

template <WeightLayout kLayout, int kColumns>
struct PartScales {
  using Scale = WordPart;
  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return loadGranulePart<kLayout, kColumns, WeightPlane::kScales>(planes, row, unit);
  }
};

template <WeightLayout kLayout, int kColumns>
struct HalfPairScales {
  using Scale = uint32_t; ///< d, m
  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return streamGranule<uint32_t, kLayout, kColumns, WeightPlane::kScales>(planes, row, unit);
  }
  static LLCUDA_DEVICE float2 scaleOf(Scale scale, int) { return halvesOf(scale); }
};

template <WeightLayout kLayout, int kColumns>
struct BytePairScales {
  struct Scale {
    WordPart scales; ///< two bytes
    uint32_t d;      ///< the word of 256 weights
  };
  struct Record {
    uint4 scales;
    uint32_t d;
  };

  static LLCUDA_DEVICE Record loadRecord(const WeightPlanes& planes, int row, int record) {
    return {streamGranule<uint4, kLayout, kColumns, WeightPlane::kScales>(planes, row, record),
            streamGranule<uint32_t, kLayout, kColumns, WeightPlane::kSupers>(planes, row, record)};
  }
  static LLCUDA_DEVICE Scale scaleAt(const Record& record, int unit) {
    return {{wordOf(record.scales, unit / 2), unit % 2 * 16u}, record.d};
  }
  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    const uint8_t* scales = granuleOf<uint8_t, kLayout, kColumns, WeightPlane::kScales>(planes, row, unit / 8);
    return {loadWordPart<2>(scales, static_cast<unsigned>(unit) % 8),
            streamGranule<uint32_t, kLayout, kColumns, WeightPlane::kSupers>(planes, row, unit / 8)};
  }
};

} // namespace llcuda
