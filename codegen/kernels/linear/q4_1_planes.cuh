// SPDX-License-Identifier: Apache-2.0
// q4_1_planes: weight = d * code + m. The sum of m * x is m times the stored {d * sum} of the input.
#pragma once

#include "codegen/kernels/linear/unit_reads.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ4_1Planes, kColumns> : NibbleReads<WeightLayout::kQ4_1Planes, kColumns>,
                                                           HalfPairScales<WeightLayout::kQ4_1Planes, kColumns> {
  static constexpr int kScaleStep = 32;

  static LLCUDA_DEVICE CodeWords<8> codes(const uint4& nibbles) { return nibbleCodes(nibbles); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(uint32_t nibbles) { return nibbleCodes(nibbles); }
};

} // namespace llcuda
