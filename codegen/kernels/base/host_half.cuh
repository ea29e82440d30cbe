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
typedef int8_t S8x32 __attribute__((vector_size(32)));
typedef uint8_t U8x32 __attribute__((vector_size(32)));
typedef char C8x32 __attribute__((vector_size(32)));
typedef int16_t S16x8 __attribute__((vector_size(16)));
typedef int16_t S16x16 __attribute__((vector_size(32)));
typedef int32_t S32x4 __attribute__((vector_size(16)));
typedef int32_t S32x8 __attribute__((vector_size(32)));
typedef uint32_t U32x4 __attribute__((vector_size(16)));
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

/// sum of u[i] * s[i]; pairs must stay within 16 bits, which holds for u < 128.
LLCUDA_DEVICE int dotUnsignedSigned(S8x32 u, S8x32 s) {
  const S16x16 pairs = (S16x16)__builtin_ia32_pmaddubsw256((C8x32)u, (C8x32)s);
  return sum((S32x8)__builtin_ia32_pmaddwd256(pairs, pairs * 0 + 1));
}

} // namespace host

/// c + the sum of the four products of signed bytes.
LLCUDA_DEVICE int dp4a(int a, int b, int c) {
  LLCUDA_UNROLL
  for (int i = 0; i < 4; ++i) c += static_cast<int8_t>(a >> (8 * i)) * static_cast<int8_t>(b >> (8 * i));
  return c;
}

/// 32 weights of a 4-bit plane (byte i: element i in the low, 16 + i in the high nibble; 0 to 15) times the int8
/// elements 0..15 in x0 and 16..31 in x1.
LLCUDA_DEVICE int dotQ4(const uint4& codes, const int4& x0, const int4& x1) {
  const auto words = host::load<host::U32x4>(&codes);
  const host::U32x4 low = words & 0x0f0f0f0fu, high = (words >> 4) & 0x0f0f0f0fu;
  const auto weights = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
  const auto first = host::load<host::U32x4>(&x0), second = host::load<host::U32x4>(&x1);
  const auto x = __builtin_shufflevector(first, second, 0, 1, 2, 3, 4, 5, 6, 7);
  return host::dotUnsignedSigned((host::S8x32)weights, (host::S8x32)x);
}

/// 32 int8 weights times 32 int8 elements.
LLCUDA_DEVICE int dotS8(const int4& w0, const int4& w1, const int4& x0, const int4& x1) {
  return host::sum(host::products(&w0, &x0) + host::products(&w1, &x1));
}
/// The same of 16.
LLCUDA_DEVICE int dotS8(const uint4& w, const int4& x) {
  return host::sum(host::products(&w, &x));
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
