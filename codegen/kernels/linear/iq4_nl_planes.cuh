// SPDX-License-Identifier: Apache-2.0
// iq4_nl_planes: weight = d * kIq4Levels[code].
#pragma once

#include "codegen/kernels/linear/level_codes.cuh"
#include "codegen/kernels/linear/unit_reads.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kIQ4_NLPlanes, kColumns> : NibbleReads<WeightLayout::kIQ4_NLPlanes, kColumns>,
                                                             PartScales<WeightLayout::kIQ4_NLPlanes, kColumns> {
  static constexpr int kScaleStep = 32;
  static constexpr LevelTable kLevels = levelTable(formats::kIq4Levels);

  static LLCUDA_DEVICE CodeWords<8> codes(const uint4& nibbles) { return levelCodes(nibbles, kLevels); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(uint32_t nibbles) { return levelCodes(nibbles, kLevels); }
  static LLCUDA_DEVICE float2 scaleOf(const WordPart& d, int) { return make_float2(d.half(), 0.f); }
};

} // namespace llcuda
