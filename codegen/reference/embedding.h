// SPDX-License-Identifier: Apache-2.0
// y[r] = table[tokens[r]] * scale
#pragma once

#include <cstddef>
#include <cstdint>

namespace llcuda::reference {

/// `table` is [vocabulary][columns] already dequantised, `y` [rows][columns]; every token is in the vocabulary.
template <typename Acc>
void embedding(const float* table, const int32_t* tokens, double scale, size_t rows, size_t columns, Acc* y) {
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c)
      y[r * columns + c] =
          static_cast<Acc>(table[static_cast<size_t>(tokens[r]) * columns + c]) * static_cast<Acc>(scale);
}

} // namespace llcuda::reference
