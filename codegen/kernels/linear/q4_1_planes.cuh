// SPDX-License-Identifier: Apache-2.0
// q4_1_planes: weight = d * code + m. The sum of m * x is m times the stored {d * sum} of the input.
#pragma once

#include "codegen/kernels/linear/weight_traits.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ4_1Planes, kColumns> {
  static constexpr int kUnit = 32, kAhead = 8, kScaleStep = 32;
  static constexpr int kBlocks = kColumns / 32;
  using Input = Int8Input;
  struct Unit {
    uint4 codes;
    uint32_t scale; ///< d, m
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(reinterpret_cast<const uint4*>(planes.codes) + row * kBlocks + unit),
            loadStream(reinterpret_cast<const uint32_t*>(planes.scales) + row * kBlocks + unit)};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    return loadInt8Input<kColumns>(rows, row, unit);
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x) {
    const float2 dm = halvesOf(w.scale);
    return dm.x * x.scale.x * static_cast<float>(dotQ4(w.codes, x.x0, x.x1)) + dm.y * x.scale.y;
  }
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) { return nibbleCodes(w.codes); }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int) { return halvesOf(w.scale); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }
};

} // namespace llcuda
