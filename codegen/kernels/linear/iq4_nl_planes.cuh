// SPDX-License-Identifier: Apache-2.0
// iq4_nl_planes: weight = d * kIq4Levels[code].
#pragma once

#include "codegen/kernels/linear/level_codes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kIQ4_NLPlanes, kColumns> {
  static constexpr int kUnit = 32, kAhead = 4, kScaleStep = 32;
  static constexpr int kBlocks = kColumns / 32;
  static constexpr LevelTable kLevels = levelTable(formats::kIq4Levels);
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
    return w.d.half() * x.scale.x * static_cast<float>(dotCodes(codes(w), x));
  }
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) { return levelCodes(w.codes, kLevels); }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int) { return make_float2(w.d.half(), 0.f); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }
};

} // namespace llcuda
