// SPDX-License-Identifier: Apache-2.0
// y[i] = cap * tanh(x[i] / cap)
#pragma once

#include <cstddef>

#include "codegen/reference/elementary.h"

namespace llcuda::reference {

/// `cap` is positive; `y` may be `x`.
template <typename Acc, typename In>
void softcap(const In* x, double cap, size_t count, Acc* y) {
  for (size_t i = 0; i < count; ++i) y[i] = static_cast<Acc>(cap * hyperbolicTangent(static_cast<double>(x[i]) / cap));
}

} // namespace llcuda::reference
