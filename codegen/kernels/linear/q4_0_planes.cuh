// SPDX-License-Identifier: Apache-2.0
// q4_0_planes: weight = d * (code - 8). The 8 is taken from the stored sum of the input's codes.
#pragma once

#include "codegen/kernels/linear/weight_traits.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ4_0Planes, kColumns> {
  static constexpr int kUnit = 32;
  static constexpr int kBlocks = kColumns / 32;
  using Input = Int8Input;
  struct Unit {
    uint4 codes;
    uint16_t scale;
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(reinterpret_cast<const uint4*>(planes.codes) + row * kBlocks + unit),
            loadStream(reinterpret_cast<const uint16_t*>(planes.scales) + row * kBlocks + unit)};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    return loadInt8Input<kColumns>(rows, row, unit);
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x) {
    const float sum = static_cast<float>(dotQ4(w.codes, x.x0, x.x1));
    return toFloat(Half{w.scale}) * (x.scale.x * sum - 8.f * x.scale.y);
  }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    const uint32_t codes = fourNibbles(planes.codes + static_cast<uint64_t>(row) * (kBlocks * 16), column);
    const float d = toFloat(loadReadOnlyHalf(planes.scales, static_cast<uint64_t>(row) * kBlocks + column / 32));
    return make_float4(d * (static_cast<float>(codes & 15) - 8.f), d * (static_cast<float>(codes >> 8 & 15) - 8.f),
                       d * (static_cast<float>(codes >> 16 & 15) - 8.f), d * (static_cast<float>(codes >> 24) - 8.f));
  }
};

} // namespace llcuda
