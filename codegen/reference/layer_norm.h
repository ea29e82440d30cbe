// SPDX-License-Identifier: Apache-2.0
// y[r][c] = d[c] / sqrt(mean(d^2) + eps) * scale[c] + shift[c], where d = x[r] - mean(x[r])
#pragma once

#include <cmath>
#include <vector>

#include "codegen/reference/dot.h"

namespace llcuda::reference {

/// `x` and `y` are [rows][columns] and may be the same; `scale` is [columns], and so is `shift`, or null.
template <typename Acc, typename In>
void layerNorm(const In* x, const float* scale, const float* shift, size_t rows, size_t columns, double eps, Acc* y) {
  std::vector<Acc> differences(columns);
  for (size_t r = 0; r < rows; ++r) {
    const In* row = x + r * columns;
    const Acc mean =
        laneSum<Acc>(columns, [&](size_t c) { return static_cast<Acc>(row[c]); }) / static_cast<Acc>(columns);
    for (size_t c = 0; c < columns; ++c) differences[c] = static_cast<Acc>(row[c]) - mean;
    const Acc variance = dot<Acc>(differences.data(), differences.data(), columns) / static_cast<Acc>(columns);
    const Acc inverse = Acc(1) / std::sqrt(variance + static_cast<Acc>(eps));
    for (size_t c = 0; c < columns; ++c)
      y[r * columns + c] =
          differences[c] * inverse * static_cast<Acc>(scale[c]) + (shift ? static_cast<Acc>(shift[c]) : Acc(0));
  }
}

} // namespace llcuda::reference
