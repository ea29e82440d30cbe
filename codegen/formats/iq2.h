// SPDX-License-Identifier: Apache-2.0
// What the IQ2 encodings share: points of a grid, eight elements of 8, 25 or 43 each, with signs apart.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

#include "codegen/formats/iq2_grids.inc"

/// Signs of eight elements, bit j of element j, from seven stored bits: the eighth makes their number even.
LLCUDA_FORMAT uint32_t evenSigns(uint32_t index) {
  uint32_t parity = index ^ index >> 4;
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return index | (parity & 1) << 7;
}

LLCUDA_FORMAT float signedValue(float value, uint32_t signs, int j) {
  return (signs >> j) & 1 ? -value : value;
}

/// Element j of a grid point.
LLCUDA_FORMAT float iq2Level(uint16_t point, int j) {
  const int code = (point >> (2 * j)) & 3;
  return code == 0 ? 8.f : code == 1 ? 25.f : 43.f;
}

/// Eight elements: scale * level, with signs.
LLCUDA_FORMAT void iq2Elements(float scale, uint16_t point, uint32_t signs, float* out) {
  for (int j = 0; j < 8; ++j) out[j] = signedValue(scale * iq2Level(point, j), signs, j);
}

} // namespace llcuda::formats
