// SPDX-License-Identifier: Apache-2.0
// Makes int8 rows, of codegen/formats/int8_rows.h: four elements a lane, or a block of 16 rows a warp.
#pragma once

#include "codegen/formats/int8_rows.h"
#include "codegen/kernels/block/sum_terms.cuh"
#include "codegen/kernels/ptx/math.cuh"

namespace llcuda {

/// 127 / peak, or 0 for a block whose elements are all below 2^-120: it becomes zeros.
LLCUDA_DEVICE float inverseStep(float peak) {
  return peak > 7.6e-37f ? 127.f * reciprocalFast(peak) : 0.f;
}
LLCUDA_DEVICE float stepOf(float peak) {
  return peak * (1.f / 127.f);
}
LLCUDA_DEVICE float peakOf(float4 v) {
  return maxOf(maxOf(absOf(v.x), absOf(v.y)), maxOf(absOf(v.z), absOf(v.w)));
}

/// Four codes and their sum.
struct CodedFour {
  uint32_t codes;
  int sum;
};

LLCUDA_DEVICE CodedFour codesOf(float4 v, float inverse) {
  const int a = roundToInt(v.x * inverse), b = roundToInt(v.y * inverse);
  const int c = roundToInt(v.z * inverse), d = roundToInt(v.w * inverse);
  const uint32_t low = bytePermute(a, b, 0x0040), high = bytePermute(c, d, 0x0040);
  return {bytePermute(low, high, 0x5410), a + b + c + d};
}

/// Quantises 4 neighbouring elements per lane, so 8 lanes are a block of 32 whose first is in a lane 8i. All lanes of
/// the warp call; lanes with `valid` false take part and store nothing. `codes` is where the lane's four go, `scale`
/// where the block's d goes.
template <RowOrder kOrder>
LLCUDA_DEVICE void quantizeFour(float4 v, bool valid, int8_t* codes, float* scale) {
  const float peak = groupMax<8>(peakOf(v));
  const CodedFour coded = codesOf(v, inverseStep(peak));
  const int sum = groupSum<8>(coded.sum);
  if (!valid)
    return;
  *reinterpret_cast<uint32_t*>(codes) = coded.codes;
  if (laneId() % 8 != 0)
    return;
  const float step = stepOf(peak), stepSum = step * static_cast<float>(sum);
  if constexpr (kOrder != RowOrder::kFragments) {
    *reinterpret_cast<float2*>(scale) = make_float2(step, stepSum);
  } else {
    scale[0] = step;
    reinterpret_cast<uint32_t*>(scale)[sumAfterScale(kOrder) / 4] = SumTerms::of(stepSum);
  }
}

/// What lane 4g + q of a warp has of a block of 16 rows: of rows g and g + 8, elements 4q ... 4q + 3 and
/// 16 + 4q ... 16 + 4q + 3.
struct FragmentFours {
  float4 of[2][2]; ///< [row][half]
};

/// Stores scales of the lane's two rows. Four neighbouring lanes have the same.
LLCUDA_DEVICE void storeFragmentScales(const float (&step)[2], const int (&sum)[2], FragmentScales* scales) {
  const int g = laneId() / 4;
  if (laneId() % 4 == 0)
    *reinterpret_cast<float2*>(scales->d[g]) = make_float2(step[0], step[1]);
  else if (laneId() % 4 == 1)
    *reinterpret_cast<uint2*>(scales->terms[g]) = make_uint2(SumTerms::of(step[0] * static_cast<float>(sum[0])),
                                                             SumTerms::of(step[1] * static_cast<float>(sum[1])));
}

/// The block `block` of the tile whose codes and scales begin there: runs of 512 and 128 bytes. All lanes call.
LLCUDA_DEVICE void quantizeFragment(const FragmentFours& v, int8_t* codes, FragmentScales* scales) {
  float peak[2], step[2];
  int sum[2];
  uint32_t words[2][2];
  LLCUDA_UNROLL
  for (int r = 0; r < 2; ++r) peak[r] = maxOf(peakOf(v.of[r][0]), peakOf(v.of[r][1]));
  groupMax<4>(peak);
  LLCUDA_UNROLL
  for (int r = 0; r < 2; ++r) {
    const float inverse = inverseStep(peak[r]);
    const CodedFour first = codesOf(v.of[r][0], inverse), second = codesOf(v.of[r][1], inverse);
    words[r][0] = first.codes, words[r][1] = second.codes;
    sum[r] = first.sum + second.sum;
    step[r] = stepOf(peak[r]);
  }
  groupSum<4>(sum);
  reinterpret_cast<uint4*>(codes)[laneId()] = make_uint4(words[0][0], words[0][1], words[1][0], words[1][1]);
  storeFragmentScales(step, sum, scales);
}

} // namespace llcuda
