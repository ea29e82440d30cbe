// SPDX-License-Identifier: Apache-2.0
// f16 and packed int8 on the host. Included by host.cuh alone.
#pragma once

#include "codegen/kernels/base/host.cuh"

namespace llcuda {

LLCUDA_DEVICE float toFloat(Half value) {
  return static_cast<float>(__builtin_bit_cast(_Float16, value));
}
LLCUDA_DEVICE float2 toFloat(Half2 value) {
  return {toFloat(value.x), toFloat(value.y)};
}
LLCUDA_DEVICE Half toHalf(float value) {
  return __builtin_bit_cast(Half, static_cast<_Float16>(value));
}
LLCUDA_DEVICE Half2 toHalf2(float x, float y) {
  return {toHalf(x), toHalf(y)};
}

namespace host {

/// An f64 holds the product of two f16 exactly.
LLCUDA_DEVICE Half fusedHalf(Half a, Half b, Half c) {
  const double exact = static_cast<double>(toFloat(a)) * toFloat(b);
  return __builtin_bit_cast(Half, static_cast<_Float16>(exact + toFloat(c)));
}

} // namespace host

// An f32 is wide enough that rounding to it and then to f16 is the same as rounding once.
LLCUDA_DEVICE Half2 addHalf2(Half2 a, Half2 b) {
  return {toHalf(toFloat(a.x) + toFloat(b.x)), toHalf(toFloat(a.y) + toFloat(b.y))};
}
LLCUDA_DEVICE Half2 multiplyHalf2(Half2 a, Half2 b) {
  return {toHalf(toFloat(a.x) * toFloat(b.x)), toHalf(toFloat(a.y) * toFloat(b.y))};
}
LLCUDA_DEVICE Half2 fmaHalf2(Half2 a, Half2 b, Half2 c) {
  return {host::fusedHalf(a.x, b.x, c.x), host::fusedHalf(a.y, b.y, c.y)};
}

namespace host {

// Vectors of the compiler rather than <immintrin.h>: a kernel's translation unit so compiles in half the time.
typedef int8_t S8x16 __attribute__((vector_size(16)));
typedef uint8_t U8x32 __attribute__((vector_size(32)));
typedef int16_t S16x8 __attribute__((vector_size(16)));
typedef int16_t S16x16 __attribute__((vector_size(32)));
typedef int32_t S32x4 __attribute__((vector_size(16)));
typedef int32_t S32x8 __attribute__((vector_size(32)));
typedef float F32x8 __attribute__((vector_size(32)));

template <typename Vector>
LLCUDA_DEVICE Vector load(const void* source) {
  Vector value;
  __builtin_memcpy(&value, source, sizeof value);
  return value;
}

LLCUDA_DEVICE int sum(S32x8 v) {
  S32x4 half = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
  half += __builtin_shufflevector(half, half, 2, 3, 0, 1);
  return half[0] + half[1];
}

/// The 16 codes as 16 bits each.
LLCUDA_DEVICE S16x16 widen(S8x16 v) {
  return __builtin_convertvector(v, S16x16);
}

/// The products of 16 signed bytes with 16, neighbours added.
LLCUDA_DEVICE S32x8 products(const void* w, const void* x) {
  return (S32x8)__builtin_ia32_pmaddwd256(widen(load<S8x16>(w)), widen(load<S8x16>(x)));
}

} // namespace host

/// c + the sum of the four products of signed bytes.
LLCUDA_DEVICE int dp4a(int a, int b, int c) {
  LLCUDA_UNROLL
  for (int i = 0; i < 4; ++i) c += static_cast<int8_t>(a >> (8 * i)) * static_cast<int8_t>(b >> (8 * i));
  return c;
}

/// start plus the sum of 16 products of signed bytes.
LLCUDA_DEVICE int dotS8(const uint4& w, const int4& x, int start = 0) {
  return start + host::sum(host::products(&w, &x));
}

/// The bytes of a table of 16 that the eight nibbles stand for.
LLCUDA_DEVICE uint2 levelsOf(uint32_t nibbles, const uint32_t (&table)[4]) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(table);
  uint32_t four[2] = {};
  LLCUDA_UNROLL
  for (int i = 0; i < 8; ++i) four[i / 4] |= static_cast<uint32_t>(bytes[nibbles >> (4 * i) & 15]) << (i % 4 * 8);
  return {four[0], four[1]};
}
/// The bytes of a table of eight, zeros for nibbles from 8 on.
LLCUDA_DEVICE uint2 lowLevelsOf(uint32_t nibbles, uint32_t a, uint32_t b) {
  const uint32_t table[4] = {a, b, 0, 0};
  return levelsOf(nibbles, table);
}

} // namespace llcuda
