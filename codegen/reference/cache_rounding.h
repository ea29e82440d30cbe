// SPDX-License-Identifier: Apache-2.0
// Keys and values as the cache keeps them: f16, or ggml's blocks of 32 that share a scale (and a minimum).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "codegen/formats/numbers.h"
#include "codegen/formats/tensor_type.h"

namespace llcuda::reference {

inline float roundToHalf(float x) {
  return formats::halfToFloat(formats::floatToHalf(x));
}

/// Codes 0 ... levels - 1 between the lowest and the highest of 32 elements.
inline void roundBetween(float* x, int levels) {
  const auto [low, high] = std::minmax_element(x, x + 32);
  const float minimum = *low, d = (*high - *low) / static_cast<float>(levels - 1);
  const float inverse = d != 0 ? 1 / d : 0;
  for (int i = 0; i < 32; ++i) {
    const int code = std::min(levels - 1, static_cast<int>((x[i] - minimum) * inverse + 0.5f));
    x[i] = static_cast<float>(code) * roundToHalf(d) + roundToHalf(minimum);
  }
}

/// Codes -levels / 2 ... levels / 2 - 1, the lowest of which stands for the element of the largest magnitude.
inline void roundAround(float* x, int levels) {
  const float peak = *std::max_element(x, x + 32, [](float a, float b) { return std::abs(a) < std::abs(b); });
  const float zero = static_cast<float>(levels / 2), d = peak / -zero, inverse = d != 0 ? 1 / d : 0;
  for (int i = 0; i < 32; ++i) {
    const int code = std::min(levels - 1, static_cast<int>(x[i] * inverse + zero + 0.5f));
    x[i] = (static_cast<float>(code) - zero) * roundToHalf(d);
  }
}

inline void roundToQ8_0(float* x) {
  float peak = 0;
  for (int i = 0; i < 32; ++i) peak = std::max(peak, std::abs(x[i]));
  const float d = peak / 127, inverse = d != 0 ? 1 / d : 0;
  for (int i = 0; i < 32; ++i) x[i] = std::nearbyint(x[i] * inverse) * roundToHalf(d);
}

/// Rounds `count` elements of a head's row in place. Encodings that no cache has, and f32, leave them as they are.
inline void roundToCache(formats::TensorType encoding, float* x, std::size_t count) {
  using formats::TensorType;
  if (encoding == TensorType::kF16)
    std::transform(x, x + count, x, roundToHalf);
  for (std::size_t block = 0; block + 32 <= count; block += 32) {
    if (encoding == TensorType::kQ8_0)
      roundToQ8_0(x + block);
    else if (encoding == TensorType::kQ4_0 || encoding == TensorType::kQ5_0)
      roundAround(x + block, encoding == TensorType::kQ4_0 ? 16 : 32);
    else if (encoding == TensorType::kQ4_1 || encoding == TensorType::kQ5_1)
      roundBetween(x + block, encoding == TensorType::kQ4_1 ? 16 : 32);
  }
}

} // namespace llcuda::reference
