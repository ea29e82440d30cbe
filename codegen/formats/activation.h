// SPDX-License-Identifier: Apache-2.0
// What a gated linear unit makes of gate and up, and a unit that is not gated of g alone, u being 1. Kernel templates
// take it as an argument.
#pragma once

namespace llcuda {

enum class Activation : unsigned char {
  kSilu = 0,      ///< g / (1 + e^-g) * u
  kGeluTanh = 1,  ///< g / 2 * (1 + tanh(sqrt(2 / pi) * (g + 0.044715 g^3))) * u
  kSwigluOai = 2, ///< h / (1 + e^(-1.702 h)) * (v + 1), where h is g up to 7 and v is u from -7 to 7
  kSigmoid = 3,   ///< 1 / (1 + e^-g) * u
  kGeluErf = 4,   ///< g / 2 * (1 + erf(g / sqrt(2))) * u
  kTanh = 5,      ///< tanh(g) * u
};

} // namespace llcuda
