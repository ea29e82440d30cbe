// SPDX-License-Identifier: Apache-2.0
// mxfp4_planes: weight = 2^(e - 128) * kFp4Levels[code], a byte e for each 32 weights.
#pragma once

#include "codegen/kernels/linear/level_codes.cuh"
#include "codegen/kernels/linear/unit_reads.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kMXFP4Planes, kColumns> : NibbleReads<WeightLayout::kMXFP4Planes, kColumns>,
                                                            PartScales<WeightLayout::kMXFP4Planes, kColumns> {
  static constexpr int kScaleStep = 32;
  static constexpr LevelTable kLevels = levelTable(formats::kFp4Levels);

  static LLCUDA_DEVICE CodeWords<8> codes(const uint4& nibbles) { return levelCodes(nibbles, kLevels); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(uint32_t nibbles) { return levelCodes(nibbles, kLevels); }
  static LLCUDA_DEVICE float2 scaleOf(const WordPart& exponent, int) {
    return make_float2(formats::mxfp4Scale(static_cast<uint8_t>(exponent.bits())), 0.f);
  }
};

} // namespace llcuda
