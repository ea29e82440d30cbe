// SPDX-License-Identifier: Apache-2.0
// 16-bit floats in plain integer arithmetic, the same bits on every machine. Shared by host and device.
#pragma once

#if defined(__CUDACC_RTC__)
using int8_t = signed char;
using uint8_t = unsigned char;
using int16_t = short;
using uint16_t = unsigned short;
using int32_t = int;
using uint32_t = unsigned int;
#define LLCUDA_FORMAT inline __device__
#define LLCUDA_TABLE inline __device__ constexpr
#else
#include <cstdint>
#define LLCUDA_FORMAT inline
#define LLCUDA_TABLE inline constexpr
#endif

namespace llcuda::formats {

LLCUDA_FORMAT constexpr float floatFromBits(uint32_t bits) {
  return __builtin_bit_cast(float, bits);
}
LLCUDA_FORMAT constexpr uint32_t bitsFromFloat(float value) {
  return __builtin_bit_cast(uint32_t, value);
}

/// The value of an IEEE half; exact, with denormals, infinities and NaN (the payload is kept).
LLCUDA_FORMAT float halfToFloat(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 31;
  const uint32_t mantissa = half & 0x3FF;
  if (exponent == 31)
    return floatFromBits(sign | 0x7F800000 | mantissa << 13);
  if (exponent == 0) // mantissa * 2^-24
    return floatFromBits(sign | bitsFromFloat(static_cast<float>(mantissa) * 0x1p-24f));
  return floatFromBits(sign | (exponent + 112) << 23 | mantissa << 13);
}

/// `value >> shift`, rounded to the nearest, ties to even; shift is 1 to 31.
LLCUDA_FORMAT constexpr uint32_t shiftRoundEven(uint32_t value, uint32_t shift) {
  const uint32_t quotient = value >> shift;
  const uint32_t rest = value & ((1u << shift) - 1);
  const uint32_t middle = 1u << (shift - 1);
  return quotient + (rest > middle || (rest == middle && (quotient & 1)) ? 1 : 0);
}

/// The nearest half, ties to even; values from 65520 on become infinity, NaN stays a (quiet) NaN.
LLCUDA_FORMAT constexpr uint16_t floatToHalf(float value) {
  const uint32_t bits = bitsFromFloat(value);
  const uint32_t sign = (bits >> 16) & 0x8000;
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000)
    return static_cast<uint16_t>(sign | 0x7E00 | ((magnitude >> 13) & 0x3FF));
  if (magnitude >= 0x477FF000) // 65520
    return static_cast<uint16_t>(sign | 0x7C00);
  if (magnitude >= 0x38800000) // 2^-14, the smallest normal half
    return static_cast<uint16_t>(sign | shiftRoundEven(magnitude - (112u << 23), 13));
  const uint32_t exponent = magnitude >> 23;
  if (exponent < 102) // below 2^-25, half of the smallest denormal
    return static_cast<uint16_t>(sign);
  return static_cast<uint16_t>(sign | shiftRoundEven((magnitude & 0x7FFFFF) | 0x800000, 126 - exponent));
}

/// A little-endian u32 at any address.
LLCUDA_FORMAT uint32_t wordAt(const uint8_t* bytes) {
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24;
}

/// A bfloat16 is the upper half of a float.
LLCUDA_FORMAT float bf16ToFloat(uint16_t value) {
  return floatFromBits(static_cast<uint32_t>(value) << 16);
}

/// The nearest bfloat16, ties to even; NaN stays a (quiet) NaN.
LLCUDA_FORMAT uint16_t floatToBf16(float value) {
  const uint32_t bits = bitsFromFloat(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000)
    return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>(shiftRoundEven(bits, 16));
}

} // namespace llcuda::formats
