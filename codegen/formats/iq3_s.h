// SPDX-License-Identifier: Apache-2.0
// IQ3_S: 256 elements in 110 bytes, 8 groups of 32. value = d * (1 + 2 s) * level, with signs.
#pragma once

#include "codegen/formats/iq3.h"

namespace llcuda::formats {

struct BlockIQ3_S {
  uint16_t d;        // f16
  uint8_t codes[64]; // the lower 8 bits of the grid index of four elements
  uint8_t high[8];   // bit k % 8 of byte k / 8: the ninth bit of grid index k
  uint8_t signs[32]; // of eight elements: bit j is set where element j is negative
  uint8_t scales[4]; // nibble g, low first: s of group g
};
static_assert(sizeof(BlockIQ3_S) == 110);

LLCUDA_FORMAT void dequantize(const BlockIQ3_S& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int k = 0; k < 64; ++k) {
    const int s = (block.scales[k / 16] >> (k / 8 % 2 * 4)) & 15;
    const int index = block.codes[k] | ((block.high[k / 8] >> (k % 8)) & 1) << 8;
    const float scale = d * static_cast<float>(1 + 2 * s);
    iq3Elements(scale, kIq3SLevels, kIq3SGrid[index], block.signs[k / 2] >> (k % 2 * 4), out + 4 * k);
  }
}

} // namespace llcuda::formats
