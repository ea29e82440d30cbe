// SPDX-License-Identifier: Apache-2.0
// y[c] = the sum over j of taps[c][j] * u[j][c], u being the last rows of a sequence, the newest last
#pragma once

#include <cstddef>

#include "codegen/reference/glu.h"

namespace llcuda::reference {

/// `u` has rows of `columns`, `taps` of them; null stands for a row of zeros. `taps` weights are [columns][taps]; `y`
/// is [columns].
template <typename Acc, typename In>
void shortConv(const In* const* u, const float* weights, size_t columns, size_t taps, bool silu, Acc* y) {
  for (size_t c = 0; c < columns; ++c) {
    Acc sum = 0;
    for (size_t j = 0; j < taps; ++j)
      if (u[j])
        sum += static_cast<Acc>(weights[c * taps + j]) * static_cast<Acc>(u[j][c]);
    y[c] = silu ? activate<Acc>(Activation::kSilu, sum) : sum;
  }
}

} // namespace llcuda::reference
