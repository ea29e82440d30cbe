// SPDX-License-Identifier: Apache-2.0
// The function of gate and up: codegen/formats/activation.h.
#pragma once

#include "codegen/formats/activation.h"
#include "codegen/kernels/ptx/math.cuh"

namespace llcuda {

template <Activation kActivation>
LLCUDA_DEVICE float activate(float x) {
  static_assert(kActivation != Activation::kSwigluOai, "that is a function of two values");
  if constexpr (kActivation == Activation::kSigmoid)
    return sigmoidFast(x);
  else if constexpr (kActivation == Activation::kGeluErf)
    return geluErfFast(x);
  else if constexpr (kActivation == Activation::kTanh)
    return 1.f - 2.f * reciprocalFast(1.f + expFast(2.f * x));
  else
    return kActivation == Activation::kSilu ? siluFast(x) : geluTanhFast(x);
}

template <Activation kActivation>
LLCUDA_DEVICE float gated(float gate, float up) {
  if constexpr (kActivation == Activation::kSwigluOai) {
    const float g = minOf(gate, 7.f), u = minOf(maxOf(up, -7.f), 7.f);
    return g * sigmoidFast(1.702f * g) * (u + 1.f);
  } else {
    return activate<kActivation>(gate) * up;
  }
}

} // namespace llcuda
