// SPDX-License-Identifier: Apache-2.0
// q8_0_planes: weight = d * code. A unit is half a block, so that the lanes of a warp read 16 bytes side by side.
#pragma once

#include "codegen/kernels/linear/unit_reads.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ8_0Planes, kColumns> : ByteReads<WeightLayout::kQ8_0Planes, kColumns>,
                                                           PartScales<WeightLayout::kQ8_0Planes, kColumns> {
  static constexpr int kScaleStep = 32;

  static LLCUDA_DEVICE float2 scaleOf(const WordPart& d, int) { return make_float2(d.half(), 0.f); }
};

} // namespace llcuda
