// SPDX-License-Identifier: Apache-2.0
// Fast functions, with the error a kernel may count on.
//
//   exp2Fast       2^x within 2 ulp; 0 far below, infinity far above
//   expFast        e^x within 2 ulp + |x| 2^-23 relative
//   log2Fast logFast   x > 0; absolute error below 2^-22 near 1, else 2 ulp
//   rsqrtFast reciprocalFast divideFast   within 2 ulp for normal arguments; divideFast(x, y): |y| < 2^126
//   tanhFast       within 2^-10.9 relative
//   sinFast cosFast    absolute error below 2^-20 for |x| <= pi; no range reduction
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

#if defined(__CUDACC_RTC__)

LLCUDA_DEVICE float exp2Fast(float x) {
  float r;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
  return r;
}
LLCUDA_DEVICE float log2Fast(float x) {
  float r;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
  return r;
}
LLCUDA_DEVICE float reciprocalFast(float x) {
  float r;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
  return r;
}
LLCUDA_DEVICE float rsqrtFast(float x) {
  float r;
  asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
  return r;
}
LLCUDA_DEVICE float tanhFast(float x) {
  float r;
  asm("tanh.approx.f32 %0, %1;" : "=f"(r) : "f"(x));
  return r;
}
LLCUDA_DEVICE float sinFast(float x) {
  float r;
  asm("sin.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
  return r;
}
LLCUDA_DEVICE float cosFast(float x) {
  float r;
  asm("cos.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
  return r;
}
LLCUDA_DEVICE float expFast(float x) {
  return exp2Fast(x * 1.4426950408889634f);
}
LLCUDA_DEVICE float logFast(float x) {
  return log2Fast(x) * 0.6931471805599453f;
}
LLCUDA_DEVICE float divideFast(float x, float y) {
  return x * reciprocalFast(y);
}

#endif

LLCUDA_DEVICE float sigmoidFast(float x) {
  return reciprocalFast(1.f + expFast(-x));
}
/// x * sigmoid(x)
LLCUDA_DEVICE float siluFast(float x) {
  return x * sigmoidFast(x);
}
/// x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))), which is x * sigmoid of twice the argument of tanh.
LLCUDA_DEVICE float geluTanhFast(float x) {
  return x * sigmoidFast(1.5957691216057308f * (x + 0.044715f * x * x * x));
}
/// Within 2^-23 absolute; x is not NaN. 1 - erf is 2 to a power that a polynomial of the magnitude makes well.
LLCUDA_DEVICE float erfFast(float x) {
  const float t = minOf(x < 0.f ? -x : x, 4.f); // from there on 1
  float power = -1.16047604024061e-05f;
  power = fusedMultiplyAdd(power, t, 0.00015296389756258577f);
  power = fusedMultiplyAdd(power, t, -0.0008482325938530266f);
  power = fusedMultiplyAdd(power, t, 0.002274781931191683f);
  power = fusedMultiplyAdd(power, t, -8.480127871735021e-05f);
  power = fusedMultiplyAdd(power, t, -0.027724478393793106f);
  power = fusedMultiplyAdd(power, t, 0.1483079046010971f);
  power = fusedMultiplyAdd(power, t, 0.9184429049491882f);
  power = fusedMultiplyAdd(power, t, 1.6279072761535645f);
  const float magnitude = 1.f - exp2Fast(-t * power);
  return x < 0.f ? -magnitude : magnitude;
}
/// x / 2 * (1 + erf(x / sqrt(2)))
LLCUDA_DEVICE float geluErfFast(float x) {
  return 0.5f * x * (1.f + erfFast(0.7071067811865475f * x));
}

} // namespace llcuda
