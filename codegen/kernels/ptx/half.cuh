// SPDX-License-Identifier: Apache-2.0
// f16: conversions, which round to nearest even and overflow to infinity, and paired arithmetic.
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

#if defined(__CUDACC_RTC__)

LLCUDA_DEVICE float toFloat(Half value) {
  float r;
  asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"(value.bits));
  return r;
}
LLCUDA_DEVICE float2 toFloat(Half2 value) {
  return make_float2(toFloat(value.x), toFloat(value.y));
}
LLCUDA_DEVICE Half toHalf(float value) {
  Half r;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r.bits) : "f"(value));
  return r;
}
LLCUDA_DEVICE Half2 toHalf2(float x, float y) {
  Half2 r;
  r.x = toHalf(x);
  r.y = toHalf(y);
  return r;
}
/// a * b + c, rounded once.
LLCUDA_DEVICE Half2 fmaHalf2(Half2 a, Half2 b, Half2 c) {
  uint32_t r;
  asm("fma.rn.f16x2 %0, %1, %2, %3;"
      : "=r"(r)
      : "r"(bitCast<uint32_t>(a)), "r"(bitCast<uint32_t>(b)), "r"(bitCast<uint32_t>(c)));
  return bitCast<Half2>(r);
}
LLCUDA_DEVICE Half2 addHalf2(Half2 a, Half2 b) {
  uint32_t r;
  asm("add.rn.f16x2 %0, %1, %2;" : "=r"(r) : "r"(bitCast<uint32_t>(a)), "r"(bitCast<uint32_t>(b)));
  return bitCast<Half2>(r);
}
LLCUDA_DEVICE Half2 multiplyHalf2(Half2 a, Half2 b) {
  uint32_t r;
  asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(r) : "r"(bitCast<uint32_t>(a)), "r"(bitCast<uint32_t>(b)));
  return bitCast<Half2>(r);
}

#endif

LLCUDA_DEVICE float2 halvesOf(uint32_t word) {
  return toFloat(bitCast<Half2>(word));
}
LLCUDA_DEVICE uint32_t wordOfHalves(float x, float y) {
  return bitCast<uint32_t>(toHalf2(x, y));
}

} // namespace llcuda
