// SPDX-License-Identifier: Apache-2.0
// Blocks of 32 whose scale is the range of their values over the number of steps. Codes are rounded with the scale as
// it is stored, in f16.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "codegen/formats/quantize_blocks.h"

namespace llcuda::formats {
namespace {

constexpr int kBlock = 32;

float inverse(float scale) {
  return scale == 0 ? 0 : 1 / scale;
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
  const uint16_t d = floatToHalf(peakOf(values) / -(kLevels / 2));
  const float steps = inverse(halfToFloat(d));
  for (int i = 0; i < kBlock; ++i) {
    const float code = std::floor(values[i] * steps + (kLevels / 2 + 0.5f));
    codes[i] = static_cast<uint8_t>(std::clamp(code, 0.f, kLevels - 1.f));
  }
  return d;
}

struct StoredRange {
  uint16_t d, m;
};

/// value ~ d * code + m.
template <int kLevels>
StoredRange roundAboveMinimum(const float* values, uint8_t* codes) {
  const auto [low, high] = std::minmax_element(values, values + kBlock);
  const StoredRange range = {floatToHalf((*high - *low) / (kLevels - 1)), floatToHalf(*low)};
  const float steps = inverse(halfToFloat(range.d));
  const float minimum = halfToFloat(range.m);
  for (int i = 0; i < kBlock; ++i) {
    const float code = std::floor((values[i] - minimum) * steps + 0.5f);
    codes[i] = static_cast<uint8_t>(std::clamp(code, 0.f, kLevels - 1.f));
  }
  return range;
}

void storeNibbles(const uint8_t* codes, uint8_t* out) {
  for (int j = 0; j < 16; ++j) out[j] = static_cast<uint8_t>((codes[j] & 15) | (codes[j + 16] & 15) << 4);
}

void storeFifthBits(const uint8_t* codes, uint8_t* out) {
  std::memset(out, 0, 4);
  for (int j = 0; j < kBlock; ++j) out[j / 8] |= static_cast<uint8_t>((codes[j] >> 4) << (j % 8));
}

} // namespace

void quantize(const float* values, BlockQ8_0& block) {
  block.d = floatToHalf(std::fabs(peakOf(values)) / 127);
  const float steps = inverse(halfToFloat(block.d));
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
