// SPDX-License-Identifier: Apache-2.0
// y[r][c] = sum over j of weights[r][j] * x[choices r + j][c], in the order of j
#pragma once

#include <cstddef>

namespace llcuda::reference {

/// `x` is [rows * choices][columns], `weights` [rows][choices], `y` [rows][columns].
template <typename Acc, typename In>
void expertSum(const In* x, const In* weights, size_t rows, size_t choices, size_t columns, Acc* y) {
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c) {
      Acc sum = 0;
      for (size_t j = 0; j < choices; ++j)
        sum += static_cast<Acc>(weights[r * choices + j]) * static_cast<Acc>(x[(r * choices + j) * columns + c]);
      y[r * columns + c] = sum;
    }
}

} // namespace llcuda::reference
