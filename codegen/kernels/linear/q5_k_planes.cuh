// SPDX-License-Identifier: Apache-2.0
// q5_k_planes: weight = d * scale * code - dmin * min, scale and min of 32 weights.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"
#include "codegen/kernels/linear/six_bit_record.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ5_KPlanes, kColumns> : FiveBitReads<WeightLayout::kQ5_KPlanes, kColumns, 0>,
                                                           SixBitScales<WeightLayout::kQ5_KPlanes, kColumns> {
  static constexpr int kScaleStep = 32;
};

} // namespace llcuda
