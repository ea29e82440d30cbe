// SPDX-License-Identifier: Apache-2.0
// q4_1_planes: weight = d * code + m. The sum of m * x is m times the stored {d * sum} of the input.
#pragma once

#include "codegen/kernels/linear/weight_traits.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ4_1Planes, kColumns> {
  static constexpr int kUnit = 32;
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
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    const uint32_t codes = fourNibbles(planes.codes + static_cast<uint64_t>(row) * (kBlocks * 16), column);
    const uint32_t* scales = reinterpret_cast<const uint32_t*>(planes.scales) + static_cast<uint64_t>(row) * kBlocks;
    const float2 dm = halvesOf(loadReadOnly(scales + column / 32));
    return make_float4(dm.x * static_cast<float>(codes & 15) + dm.y, dm.x * static_cast<float>(codes >> 8 & 15) + dm.y,
                       dm.x * static_cast<float>(codes >> 16 & 15) + dm.y,
                       dm.x * static_cast<float>(codes >> 24) + dm.y);
  }
};

} // namespace llcuda
