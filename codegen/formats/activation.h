// SPDX-License-Identifier: Apache-2.0
// The function of the gate in a gated linear unit. Kernel templates take it as an argument.
#pragma once

namespace llcuda {

enum class Activation : unsigned char {
  kSilu = 0,     ///< x / (1 + e^-x)
  kGeluTanh = 1, ///< x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
};

} // namespace llcuda
