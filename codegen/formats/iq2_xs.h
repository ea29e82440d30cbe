// SPDX-License-Identifier: Apache-2.0
// IQ2_XS: 256 elements in 74 bytes, 16 groups of 16. value = d * (0.5 + s) / 4 * level, with signs.
#pragma once

#include "codegen/formats/iq2.h"

namespace llcuda::formats {

struct BlockIQ2_XS {
  uint16_t d;         // f16
  uint16_t codes[32]; // of eight elements: grid index in the lower 9 bits, sign index in the upper 7
  uint8_t scales[8];  // nibble g, low first: s of group g
};
static_assert(sizeof(BlockIQ2_XS) == 74);

LLCUDA_FORMAT void dequantize(const BlockIQ2_XS& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int k = 0; k < 32; ++k) {
    const int s = (block.scales[k / 4] >> (k / 2 % 2 * 4)) & 15;
    const float scale = d * (0.5f + static_cast<float>(s)) * 0.25f;
    iq2Elements(scale, kIq2XsGrid[block.codes[k] & 511], evenSigns(block.codes[k] >> 9), out + 8 * k);
  }
}

} // namespace llcuda::formats
