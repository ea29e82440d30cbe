// SPDX-License-Identifier: Apache-2.0
// The function of the gate.
#pragma once

#include "codegen/formats/activation.h"
#include "codegen/kernels/ptx/math.cuh"

namespace llcuda {

template <Activation kActivation>
LLCUDA_DEVICE float activate(float x) {
  return kActivation == Activation::kSilu ? siluFast(x) : geluTanhFast(x);
}

} // namespace llcuda
