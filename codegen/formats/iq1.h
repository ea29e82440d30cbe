// SPDX-License-Identifier: Apache-2.0
// What the IQ1 encodings share: points of a grid, eight elements of -1, 0 or 1 each, all moved by an eighth.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

#include "codegen/formats/iq1_grid.inc"

/// Eight elements: scale * (level + delta).
LLCUDA_FORMAT void iq1Elements(float scale, uint16_t point, float delta, float* out) {
  for (int j = 0; j < 8; ++j) out[j] = scale * (static_cast<float>(((point >> (2 * j)) & 3) - 1) + delta);
}

} // namespace llcuda::formats
