// SPDX-License-Identifier: Apache-2.0
// y[r][n] = sum over k of x[r][k] * weight[n][k], plus bias[n]
#pragma once

#include "codegen/reference/dot.h"

namespace llcuda::reference {

/// `x` is [rows][inputs], `weight` [outputs][inputs] already dequantised, `bias` [outputs] or null, `y`
/// [rows][outputs].
template <typename Acc, typename In>
void linear(const In* x, const float* weight, const float* bias, size_t rows, size_t inputs, size_t outputs, Acc* y) {
  for (size_t r = 0; r < rows; ++r)
    for (size_t n = 0; n < outputs; ++n)
      y[r * outputs + n] =
          dot<Acc>(x + r * inputs, weight + n * inputs, inputs) + (bias ? static_cast<Acc>(bias[n]) : Acc(0));
}

} // namespace llcuda::reference
