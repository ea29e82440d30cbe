// SPDX-License-Identifier: Apache-2.0
// Int8 rows: codes and, for every 32 of them, float2 {d, d * sum of the codes}, with d = max|x| / 127.
#pragma once

#include "codegen/kernels/ptx/math.cuh"

namespace llcuda {

constexpr int kRowBlock = 32; ///< elements that share a scale

/// 127 / peak, or 0 for a block whose elements are all below 2^-120: it becomes zeros.
LLCUDA_DEVICE float inverseStep(float peak) {
  return peak > 7.6e-37f ? 127.f * reciprocalFast(peak) : 0.f;
}

/// Quantises 4 neighbouring elements per lane, so 8 lanes are a block of 32 whose first is in a lane 8i. All lanes of
/// the warp call; lanes with `valid` false take part and store nothing. `codes` is where the lane's four go, `scale`
/// where the block's pair goes.
LLCUDA_DEVICE void quantizeFour(float4 v, bool valid, int8_t* codes, float2* scale) {
  const float peak = groupMax<8>(maxOf(maxOf(absOf(v.x), absOf(v.y)), maxOf(absOf(v.z), absOf(v.w))));
  const float inverse = inverseStep(peak);
  const int a = roundToInt(v.x * inverse), b = roundToInt(v.y * inverse);
  const int c = roundToInt(v.z * inverse), d = roundToInt(v.w * inverse);
  const int sum = groupSum<8>(a + b + c + d);
  if (valid) {
    const uint32_t low = bytePermute(a, b, 0x0040), high = bytePermute(c, d, 0x0040);
    *reinterpret_cast<uint32_t*>(codes) = bytePermute(low, high, 0x5410);
    const float step = peak * (1.f / 127.f);
    if (laneId() % 8 == 0)
      *scale = make_float2(step, step * static_cast<float>(sum));
  }
}

} // namespace llcuda
