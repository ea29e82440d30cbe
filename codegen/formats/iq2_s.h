// SPDX-License-Identifier: Apache-2.0
// IQ2_S: 256 elements in 82 bytes, 16 groups of 16. value = d * (0.5 + s) / 4 * level, with signs.
#pragma once

#include "codegen/formats/iq2.h"

namespace llcuda::formats {

struct BlockIQ2_S {
  uint16_t d;        // f16
  uint8_t codes[32]; // of eight elements: the lower 8 bits of the grid index
  uint8_t signs[32]; // of eight elements: bit j is set where element j is negative
  uint8_t high[8];   // bits 2 (k % 4) of byte k / 4: the upper two bits of grid index k
  uint8_t scales[8]; // nibble g, low first: s of group g
};
static_assert(sizeof(BlockIQ2_S) == 82);

LLCUDA_FORMAT void dequantize(const BlockIQ2_S& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int k = 0; k < 32; ++k) {
    const int s = (block.scales[k / 4] >> (k / 2 % 2 * 4)) & 15;
    const int index = block.codes[k] | ((block.high[k / 4] >> (k % 4 * 2)) & 3) << 8;
    const float scale = d * (0.5f + static_cast<float>(s)) * 0.25f;
    iq2Elements(scale, kIq2SGrid[index], block.signs[k], out + 8 * k);
  }
}

} // namespace llcuda::formats
