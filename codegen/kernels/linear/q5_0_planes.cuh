// SPDX-License-Identifier: Apache-2.0
// q5_0_planes: weight = d * code, a code of five bits with its sign.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ5_0Planes, kColumns> {
  static constexpr int kUnit = 32, kAhead = 4, kScaleStep = 32;
  static constexpr int kBlocks = kColumns / 32;
  using Input = Int8Input;
  struct Unit {
    uint4 codes;
    uint32_t high;
    WordPart d;
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(reinterpret_cast<const uint4*>(planes.codes) + row * kBlocks + unit),
            loadStream(reinterpret_cast<const uint32_t*>(planes.high) + row * kBlocks + unit),
            loadWordPart<2, kBlocks>(planes.scales, row, unit)};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    return loadInt8Input<kColumns>(rows, row, unit);
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x) {
    return scale(w, 0).x * x.scale.x * static_cast<float>(dotCodes(codes(w), x));
  }
  /// 8 * code
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) {
    CodeWords<8> codes = nibblesAt<3>(w.codes);
    addBits<7>(codes, w.high);
    return codes;
  }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int) { return make_float2(w.d.half() * 0.125f, 0.f); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }
};

} // namespace llcuda
