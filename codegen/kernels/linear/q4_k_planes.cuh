// SPDX-License-Identifier: Apache-2.0
// q4_k_planes: weight = d * scale * code - dmin * min, scale and min of 32 weights.
#pragma once

#include "codegen/kernels/linear/six_bit_record.cuh"
#include "codegen/kernels/linear/unit_reads.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ4_KPlanes, kColumns> : NibbleReads<WeightLayout::kQ4_KPlanes, kColumns>,
                                                           SixBitScales<WeightLayout::kQ4_KPlanes, kColumns> {
  static constexpr int kScaleStep = 32;

  static LLCUDA_DEVICE CodeWords<8> codes(const uint4& nibbles) { return nibbleCodes(nibbles); }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(uint32_t nibbles) { return nibbleCodes(nibbles); }
};

} // namespace llcuda
