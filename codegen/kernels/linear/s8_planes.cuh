// SPDX-License-Identifier: Apache-2.0
// s8_planes: weight = scale * code, an f32 scale for each 16 weights.
#pragma once

#include "codegen/kernels/linear/unit_reads.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kS8Planes, kColumns> : ByteReads<WeightLayout::kS8Planes, kColumns> {
  static constexpr int kScaleStep = 16;
  static constexpr auto kLayout = WeightLayout::kS8Planes;
  using Scale = uint2; ///< two f32

  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return streamGranule<uint2, kLayout, kColumns, WeightPlane::kScales>(planes, row, unit);
  }
  static LLCUDA_DEVICE float2 scaleOf(const Scale& scales, int part) {
    return make_float2(bitCast<float>(part == 0 ? scales.x : scales.y), 0.f);
  }
};

} // namespace llcuda
