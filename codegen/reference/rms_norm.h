// SPDX-License-Identifier: Apache-2.0
// y[r][c] = x[r][c] / sqrt(mean(x[r]^2) + eps) * scale[c]
#pragma once

#include <cmath>

#include "codegen/reference/dot.h"

namespace llcuda::reference {

/// `x` and `y` are [rows][columns] and may be the same; `scale` is [columns].
template <typename Acc, typename In>
void rmsNorm(const In* x, const float* scale, size_t rows, size_t columns, double eps, Acc* y) {
  for (size_t r = 0; r < rows; ++r) {
    const In* row = x + r * columns;
    const Acc mean = dot<Acc>(row, row, columns) / static_cast<Acc>(columns);
    const Acc inverse = Acc(1) / std::sqrt(mean + static_cast<Acc>(eps));
    for (size_t c = 0; c < columns; ++c)
      y[r * columns + c] = static_cast<Acc>(row[c]) * inverse * static_cast<Acc>(scale[c]);
  }
}

} // namespace llcuda::reference
