// SPDX-License-Identifier: Apache-2.0
// q4_0_planes: weight = d * (code - 8). The 8 is taken from the stored sum of the input's codes.
#pragma once

#include "codegen/kernels/linear/weight_traits.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ4_0Planes, kColumns> {
  static constexpr int kUnit = 32, kAhead = 8, kScaleStep = 32;
  static constexpr int kBlocks = kColumns / 32;
  using Input = Int8Input;
  struct Unit {
    uint4 codes;
    WordPart d;
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(reinterpret_cast<const uint4*>(planes.codes) + row * kBlocks + unit),
            loadWordPart<2, kBlocks>(planes.scales, row, unit)};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    return loadInt8Input<kColumns>(rows, row, unit);
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x) {
    const float sum = static_cast<float>(dotQ4(w.codes, x.x0, x.x1));
    return w.d.half() * (x.scale.x * sum - 8.f * x.scale.y);
  }
  /// 16 * (code - 8)
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) {
    constexpr uint32_t kHigh = 0xf0f0f0f0u, kSign = 0x80808080u;
    const auto low = [](uint32_t word) { return (word << 4 & kHigh) ^ kSign; };
    const auto high = [](uint32_t word) { return (word & kHigh) ^ kSign; };
    return {{low(w.codes.x), high(w.codes.x), low(w.codes.y), high(w.codes.y), low(w.codes.z), high(w.codes.z),
             low(w.codes.w), high(w.codes.w)}};
  }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int) { return make_float2(w.d.half() * 0.0625f, 0.f); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }
};

} // namespace llcuda
