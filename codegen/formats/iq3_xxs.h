// SPDX-License-Identifier: Apache-2.0
// IQ3_XXS: 256 elements in 98 bytes, 8 groups of 32. value = d * (0.5 + s) / 2 * level, with signs.
#pragma once

#include "codegen/formats/iq3.h"

namespace llcuda::formats {

struct BlockIQ3_XXS {
  uint16_t d;          // f16
  uint8_t codes[64];   // grid index of four elements
  uint8_t words[8][4]; // of each group: 4 sign indices of 7 bits, for eight elements each, s in the upper 4 bits
};
static_assert(sizeof(BlockIQ3_XXS) == 98);

LLCUDA_FORMAT void dequantize(const BlockIQ3_XXS& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int k = 0; k < 64; ++k) { // four elements at a time
    const uint32_t word = wordAt(block.words[k / 8]);
    const uint32_t signs = evenSigns((word >> (7 * (k / 2 % 4))) & 127) >> (k % 2 * 4);
    const float scale = d * (0.5f + static_cast<float>(word >> 28)) * 0.5f;
    iq3Elements(scale, kIq3XxsLevels, kIq3XxsGrid[block.codes[k]], signs, out + 4 * k);
  }
}

} // namespace llcuda::formats
