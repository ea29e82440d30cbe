// SPDX-License-Identifier: Apache-2.0
// f16 rows: each row times the power of two that brings its largest element to 2^14 ... 2^15, rounded to f16
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "codegen/formats/numbers.h"

namespace llcuda::reference {

/// `x` and `halves` are [rows][columns], `scales` [rows]: x = scale * half. A row whose largest element is below 2^-111
/// is taken as if that were it.
inline void halfRows(const float* x, size_t rows, size_t columns, uint16_t* halves, float* scales) {
  for (size_t row = 0; row < rows; ++row) {
    float peak = 0;
    for (size_t c = 0; c < columns; ++c) peak = std::max(peak, std::fabs(x[row * columns + c]));
    const int exponent = peak < 0x1p-111f ? -111 : std::ilogb(peak);
    for (size_t c = 0; c < columns; ++c)
      halves[row * columns + c] = formats::floatToHalf(std::ldexp(x[row * columns + c], 14 - exponent));
    scales[row] = std::ldexp(1.f, exponent - 14);
  }
}

} // namespace llcuda::reference
