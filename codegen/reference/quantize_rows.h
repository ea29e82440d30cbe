// SPDX-License-Identifier: Apache-2.0
// Int8 rows: for every 32 elements d = max|x| / 127 and codes round(x / d), ties to even
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace llcuda::reference {

inline constexpr size_t kQuantizedGroup = 32;

/// What a kernel reads beside 32 codes: their scale, and the scale times their sum (for encodings with a minimum).
struct RowScale {
  float d;
  float dSum;
};

/// `x` is [rows][columns] with columns a multiple of 32, `codes` [rows][columns], `scales` [rows][columns / 32].
template <typename In>
void quantizeRows(const In* x, size_t rows, size_t columns, int8_t* codes, RowScale* scales) {
  for (size_t group = 0; group < rows * columns / kQuantizedGroup; ++group) {
    const In* from = x + group * kQuantizedGroup;
    float highest = 0;
    for (size_t i = 0; i < kQuantizedGroup; ++i) highest = std::max(highest, std::fabs(static_cast<float>(from[i])));
    const float d = highest / 127;
    int sum = 0;
    for (size_t i = 0; i < kQuantizedGroup; ++i) {
      const int code = d == 0 ? 0 : static_cast<int>(std::nearbyint(static_cast<float>(from[i]) / d));
      codes[group * kQuantizedGroup + i] = static_cast<int8_t>(code);
      sum += code;
    }
    scales[group] = {d, d * static_cast<float>(sum)};
  }
}

/// The inverse: y[i] = d * code.
template <typename Acc>
void dequantizeRows(const int8_t* codes, const RowScale* scales, size_t count, Acc* y) {
  for (size_t i = 0; i < count; ++i)
    y[i] = static_cast<Acc>(scales[i / kQuantizedGroup].d) * static_cast<Acc>(codes[i]);
}

} // namespace llcuda::reference
