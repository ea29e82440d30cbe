// SPDX-License-Identifier: Apache-2.0
// q5_0_planes: weight = d * code, a code of five bits with its sign, made 8 times as large.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ5_0Planes, kColumns> : FiveBitReads<WeightLayout::kQ5_0Planes, kColumns, 3>,
                                                           PartScales<WeightLayout::kQ5_0Planes, kColumns> {
  static constexpr int kScaleStep = 32;

  static LLCUDA_DEVICE float2 scaleOf(const WordPart& d, int) { return make_float2(d.half() * 0.125f, 0.f); }
};

} // namespace llcuda
