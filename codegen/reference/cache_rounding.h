// SPDX-License-Identifier: Apache-2.0
// Keys and values as the cache keeps them: f16, or ggml's blocks of 32 that share a scale (and a minimum).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "codegen/formats/kv_type.h"
#include "codegen/formats/numbers.h"

namespace llcuda::reference {

inline float roundToHalf(float x) {
  return formats::halfToFloat(formats::floatToHalf(x));
}

/// Codes 0 ... kLevels - 1 between the lowest and the highest of 32 elements.
template <int kLevels>
void roundBetween(float* x) {
  const auto [low, high] = std::minmax_element(x, x + 32);
  const float minimum = *low, d = (*high - *low) / static_cast<float>(kLevels - 1);
  const float inverse = d != 0 ? 1 / d : 0;
  for (int i = 0; i < 32; ++i) {
    const int code = std::min(kLevels - 1, static_cast<int>((x[i] - minimum) * inverse + 0.5f));
    x[i] = static_cast<float>(code) * roundToHalf(d) + roundToHalf(minimum);
  }
}

/// Codes -kLevels / 2 ... kLevels / 2 - 1, the lowest of which stands for the element of the largest magnitude.
template <int kLevels>
void roundAround(float* x) {
  const float peak = *std::max_element(x, x + 32, [](float a, float b) { return std::abs(a) < std::abs(b); });
  const float zero = static_cast<float>(kLevels / 2), d = peak / -zero, inverse = d != 0 ? 1 / d : 0;
  for (int i = 0; i < 32; ++i) {
    const int code = std::min(kLevels - 1, static_cast<int>(x[i] * inverse + zero + 0.5f));
    x[i] = (static_cast<float>(code) - zero) * roundToHalf(d);
  }
}

inline void roundToQ8_0(float* x) {
  float peak = 0;
  for (int i = 0; i < 32; ++i) peak = std::max(peak, std::abs(x[i]));
  const float d = peak / 127, inverse = d != 0 ? 1 / d : 0;
  for (int i = 0; i < 32; ++i) x[i] = std::nearbyint(x[i] * inverse) * roundToHalf(d);
}

template <void (*kRound)(float*)>
void roundBlocks(float* x, std::size_t count) {
  for (std::size_t block = 0; block + 32 <= count; block += 32) kRound(x + block);
}

/// One for each type: a type that has none does not compile.
template <KvType>
void roundRow(float* x, std::size_t count) = delete;
template <>
inline void roundRow<KvType::kF16>(float* x, std::size_t count) {
  std::transform(x, x + count, x, roundToHalf);
}
template <>
inline void roundRow<KvType::kBF16>(float* x, std::size_t count) {
  std::transform(x, x + count, x, [](float value) { return formats::bf16ToFloat(formats::floatToBf16(value)); });
}
template <>
inline void roundRow<KvType::kQ8_0>(float* x, std::size_t count) {
  roundBlocks<roundToQ8_0>(x, count);
}
template <>
inline void roundRow<KvType::kQ5_1>(float* x, std::size_t count) {
  roundBlocks<roundBetween<32>>(x, count);
}
template <>
inline void roundRow<KvType::kQ5_0>(float* x, std::size_t count) {
  roundBlocks<roundAround<32>>(x, count);
}
template <>
inline void roundRow<KvType::kQ4_1>(float* x, std::size_t count) {
  roundBlocks<roundBetween<16>>(x, count);
}
template <>
inline void roundRow<KvType::kQ4_0>(float* x, std::size_t count) {
  roundBlocks<roundAround<16>>(x, count);
}

/// Rounds `count` elements of a head's row in place.
inline void roundToCache(KvType type, float* x, std::size_t count) {
  switch (type) {
#define LLCUDA_KV_TYPE(enumerator, ...)                                                                                \
  case KvType::enumerator:                                                                                             \
    return roundRow<KvType::enumerator>(x, count);
#include "codegen/formats/kv_types.inc"
  }
}

} // namespace llcuda::reference
