// SPDX-License-Identifier: Apache-2.0
// q4_0_planes: weight = d * (code - 8). A flipped sign takes the 8 off a code in the upper bits of its byte.
#pragma once

#include "codegen/kernels/linear/unit_reads.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ4_0Planes, kColumns> : NibbleReads<WeightLayout::kQ4_0Planes, kColumns>,
                                                           PartScales<WeightLayout::kQ4_0Planes, kColumns> {
  static constexpr int kScaleStep = 32;

  /// 16 * (code - 8)
  static LLCUDA_DEVICE CodeWords<8> codes(const uint4& w) {
    return {{low(w.x), low(w.y), low(w.z), low(w.w), high(w.x), high(w.y), high(w.z), high(w.w)}};
  }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(uint32_t word) { return {{low(word), high(word)}}; }
  static LLCUDA_DEVICE float2 scaleOf(const WordPart& d, int) { return make_float2(d.half() * 0.0625f, 0.f); }

private:
  static constexpr uint32_t kHigh = 0xf0f0f0f0u, kSign = 0x80808080u;
  static LLCUDA_DEVICE uint32_t low(uint32_t word) { return (word << 4 & kHigh) ^ kSign; }
  static LLCUDA_DEVICE uint32_t high(uint32_t word) { return (word & kHigh) ^ kSign; }
};

} // namespace llcuda
