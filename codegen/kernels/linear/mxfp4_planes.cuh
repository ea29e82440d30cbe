// SPDX-License-Identifier: Apache-2.0
// mxfp4_planes: weight = 2^(e - 128) * kFp4Levels[code], a byte e for each 32 weights.
#pragma once

#include "codegen/kernels/linear/level_codes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kMXFP4Planes, kColumns> {
  static constexpr int kUnit = 32, kAhead = 4, kScaleStep = 32;
  static constexpr int kBlocks = kColumns / 32;
  static constexpr LevelTable kLevels = levelTable(formats::kFp4Levels);
  using Input = Int8Input;
  struct Unit {
    uint4 codes;
    WordPart exponent;
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(reinterpret_cast<const uint4*>(planes.codes) + row * kBlocks + unit),
            loadWordPart<1, kBlocks>(planes.scales, row, unit)};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    return loadInt8Input<kColumns>(rows, row, unit);
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x) {
    return scale(w, 0).x * (x.scale.x * static_cast<float>(dotCodes(codes(w), x)));
  }
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) { return levelCodes(w.codes, kLevels); }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int) {
    return make_float2(formats::mxfp4Scale(static_cast<uint8_t>(w.exponent.bits())), 0.f);
  }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }
};

} // namespace llcuda
