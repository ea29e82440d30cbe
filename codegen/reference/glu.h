// SPDX-License-Identifier: Apache-2.0
// y[i] of gate[i] and up[i], or of one value alone; codegen/formats/activation.h has the formulas
#pragma once

#include <algorithm>
#include <cstddef>

#include "codegen/formats/activation.h"
#include "codegen/reference/elementary.h"

namespace llcuda::reference {

using llcuda::Activation;

template <typename Acc>
Acc activate(Activation activation, Acc x) {
  const double value = x;
  if (activation == Activation::kSilu)
    return static_cast<Acc>(value / (1 + exponential(-value)));
  if (activation == Activation::kSigmoid)
    return static_cast<Acc>(1 / (1 + exponential(-value)));
  if (activation == Activation::kGeluErf)
    return static_cast<Acc>(0.5 * value * (1 + errorFunction(value * 0.70710678118654752440)));
  if (activation == Activation::kTanh)
    return static_cast<Acc>(hyperbolicTangent(value));
  const double inner = 0.79788456080286535588 * (value + 0.044715 * value * value * value);
  return static_cast<Acc>(0.5 * value * (1 + hyperbolicTangent(inner)));
}

template <typename Acc>
Acc gated(Activation activation, Acc gate, Acc up) {
  if (activation != Activation::kSwigluOai)
    return activate<Acc>(activation, gate) * up;
  const double g = std::min<double>(gate, 7), u = std::clamp<double>(up, -7, 7);
  return static_cast<Acc>(g / (1 + exponential(-1.702 * g)) * (u + 1));
}

template <typename Acc, typename In>
void glu(Activation activation, const In* gate, const In* up, size_t count, Acc* y) {
  for (size_t i = 0; i < count; ++i) y[i] = gated<Acc>(activation, static_cast<Acc>(gate[i]), static_cast<Acc>(up[i]));
}

} // namespace llcuda::reference
