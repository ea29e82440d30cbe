// SPDX-License-Identifier: Apache-2.0
// iq4_xs_planes: weight = d * (scale - 32) * kIq4Levels[code], scale of 32 weights.
//
// The 8 bytes of the scales of 256 weights: f16 d and 8 pairs, pair g the upper two bits of scale g; a word of nibbles,
// nibble g its low four.
#pragma once

#include "codegen/kernels/linear/level_codes.cuh"
#include "codegen/kernels/linear/unit_reads.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kIQ4_XSPlanes, kColumns> : NibbleReads<WeightLayout::kIQ4_XSPlanes, kColumns> {
  static constexpr int kScaleStep = 32;
  static constexpr LevelTable kLevels = levelTable(formats::kIq4Levels);
  struct Scale {
    uint2 record;
    int group; ///< of 8 units
  };
  using Record = uint2;

  static LLCUDA_DEVICE Record loadRecord(const WeightPlanes& planes, int row, int record) {
    return streamGranule<uint2, WeightLayout::kIQ4_XSPlanes, kColumns, WeightPlane::kScales>(planes, row, record);
  }
  static LLCUDA_DEVICE Scale scaleAt(const Record& record, int unit) { return {record, unit}; }
  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return {loadRecord(planes, row, unit / 8), unit % 8};
  }
  static LLCUDA_DEVICE CodeWords<8> codes(const uint4& nibbles) { return levelCodes(nibbles, kLevels); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(uint32_t nibbles) { return levelCodes(nibbles, kLevels); }
  static LLCUDA_DEVICE float2 scaleOf(const Scale& scale, int) {
    const uint32_t low = scale.record.y >> (4 * scale.group) & 15, upper = scale.record.x >> (16 + 2 * scale.group) & 3;
    const float d = toFloat(Half{static_cast<uint16_t>(scale.record.x)});
    return make_float2(d * static_cast<float>(static_cast<int>(low | upper << 4) - 32), 0.f);
  }
};

} // namespace llcuda
