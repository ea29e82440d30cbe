// SPDX-License-Identifier: Apache-2.0
// Blocks of 32 whose scale is the range of their values over the number of steps. Codes are rounded with the scale
// before it is stored in f16, as llama.cpp does: the bytes are the same.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "codegen/formats/quantize_blocks.h"

namespace llcuda::formats {
namespace {

constexpr int kBlock = 32;

/// 0 for a scale that is 0, or so small that its inverse is none: nothing is left of it in f16.
float inverse(float scale) {
  const float steps = 1 / scale;
  return std::isfinite(steps) ? steps : 0;
}

/// The value of the largest magnitude, with its sign.
float peakOf(const float* values) {
  float peak = 0;
  for (int i = 0; i < kBlock; ++i)
    if (std::fabs(values[i]) > std::fabs(peak))
      peak = values[i];
  return peak;
}

/// value ~ d * (code - kLevels / 2): the peak gets the code 0, the end that reaches one step further.
template <int kLevels>
uint16_t roundAroundZero(const float* values, uint8_t* codes) {
  const float d = peakOf(values) / -(kLevels / 2);
  const float steps = inverse(d);
  for (int i = 0; i < kBlock; ++i) {
    const float code = std::floor(values[i] * steps + (kLevels / 2 + 0.5f));
    codes[i] = static_cast<uint8_t>(std::clamp(code, 0.f, kLevels - 1.f));
  }
  return floatToHalf(d);
}

struct StoredRange {
  uint16_t d, m;
};

/// value ~ d * code + m.
template <int kLevels>
StoredRange roundAboveMinimum(const float* values, uint8_t* codes) {
  const auto [low, high] = std::minmax_element(values, values + kBlock);
  const float d = (*high - *low) / (kLevels - 1);
  const float steps = inverse(d);
  for (int i = 0; i < kBlock; ++i) {
    const float code = std::floor((values[i] - *low) * steps + 0.5f);
    codes[i] = static_cast<uint8_t>(std::clamp(code, 0.f, kLevels - 1.f));
  }
  return {floatToHalf(d), floatToHalf(*low)};
}

} // namespace

void storeNibbles(const uint8_t (&codes)[32], uint8_t (&out)[16]) {
  for (int j = 0; j < 16; ++j) out[j] = static_cast<uint8_t>((codes[j] & 15) | (codes[j + 16] & 15) << 4);
}

void storeFifthBits(const uint8_t (&codes)[32], uint8_t (&out)[4]) {
  std::memset(out, 0, sizeof out);
  for (int j = 0; j < kBlock; ++j) out[j / 8] |= static_cast<uint8_t>((codes[j] >> 4) << (j % 8));
}

void quantize(const float* values, BlockQ8_0& block) {
  const float d = std::fabs(peakOf(values)) / 127;
  const float steps = inverse(d);
  block.d = floatToHalf(d);
  for (int i = 0; i < kBlock; ++i)
    block.codes[i] = static_cast<int8_t>(std::clamp(std::round(values[i] * steps), -127.f, 127.f));
}

void quantize(const float* values, BlockQ4_0& block) {
  uint8_t codes[kBlock];
  block.d = roundAroundZero<16>(values, codes);
  storeNibbles(codes, block.codes);
}

void quantize(const float* values, BlockQ5_0& block) {
  uint8_t codes[kBlock];
  block.d = roundAroundZero<32>(values, codes);
  storeNibbles(codes, block.codes);
  storeFifthBits(codes, block.highBits);
}

void quantize(const float* values, BlockQ4_1& block) {
  uint8_t codes[kBlock];
  const StoredRange range = roundAboveMinimum<16>(values, codes);
  block.d = range.d;
  block.m = range.m;
  storeNibbles(codes, block.codes);
}

void quantize(const float* values, BlockQ5_1& block) {
  uint8_t codes[kBlock];
  const StoredRange range = roundAboveMinimum<32>(values, codes);
  block.d = range.d;
  block.m = range.m;
  storeNibbles(codes, block.codes);
  storeFifthBits(codes, block.highBits);
}

} // namespace llcuda::formats
