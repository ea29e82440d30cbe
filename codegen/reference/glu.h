// SPDX-License-Identifier: Apache-2.0
// y[i] = activation(gate[i]) * up[i]
#pragma once

#include <cstddef>

#include "codegen/reference/elementary.h"

namespace llcuda::reference {

enum class Activation {
  kSilu,     ///< x / (1 + e^-x)
  kGeluTanh, ///< x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
};

template <typename Acc>
Acc activate(Activation activation, Acc x) {
  const double value = x;
  if (activation == Activation::kSilu)
    return static_cast<Acc>(value / (1 + exponential(-value)));
  const double inner = 0.79788456080286535588 * (value + 0.044715 * value * value * value);
  return static_cast<Acc>(0.5 * value * (1 + hyperbolicTangent(inner)));
}

template <typename Acc, typename In>
void glu(Activation activation, const In* gate, const In* up, size_t count, Acc* y) {
  for (size_t i = 0; i < count; ++i)
    y[i] = activate<Acc>(activation, static_cast<Acc>(gate[i])) * static_cast<Acc>(up[i]);
}

} // namespace llcuda::reference
