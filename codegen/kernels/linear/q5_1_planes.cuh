// SPDX-License-Identifier: Apache-2.0
// q5_1_planes: weight = d * code + m. The sum of m * x is m times the stored {d * sum} of the input.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ5_1Planes, kColumns> : FiveBitReads<WeightLayout::kQ5_1Planes, kColumns, 0>,
                                                           HalfPairScales<WeightLayout::kQ5_1Planes, kColumns> {
  static constexpr int kScaleStep = 32;
};

} // namespace llcuda
