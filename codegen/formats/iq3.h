// SPDX-License-Identifier: Apache-2.0
// What the IQ3 encodings share: points of a grid, four elements of eight levels each, with signs apart.
#pragma once

#include "codegen/formats/iq2.h"

namespace llcuda::formats {

#include "codegen/formats/iq3_grids.inc"

LLCUDA_TABLE uint8_t kIq3XxsLevels[8] = {4, 12, 20, 28, 36, 44, 52, 62};
LLCUDA_TABLE uint8_t kIq3SLevels[8] = {1, 3, 5, 7, 9, 11, 13, 15};

/// Four elements: scale * level, with the lower four signs.
LLCUDA_FORMAT void iq3Elements(float scale, const uint8_t* levels, uint16_t point, uint32_t signs, float* out) {
  for (int j = 0; j < 4; ++j)
    out[j] = signedValue(scale * static_cast<float>(levels[(point >> (3 * j)) & 7]), signs, j);
}

} // namespace llcuda::formats
