// SPDX-License-Identifier: Apache-2.0
// IQ2_XXS: 256 elements in 66 bytes, 8 groups of 32. value = d * (0.5 + s) / 4 * level, with signs.
#pragma once

#include "codegen/formats/iq2.h"

namespace llcuda::formats {

struct BlockIQ2_XXS {
  uint16_t d;           // f16
  uint8_t groups[8][8]; // 4 grid indices, then a word: 4 sign indices of 7 bits, s in the upper 4 bits
};
static_assert(sizeof(BlockIQ2_XXS) == 66);

LLCUDA_FORMAT void dequantize(const BlockIQ2_XXS& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int k = 0; k < 32; ++k) { // eight elements at a time
    const uint8_t* group = block.groups[k / 4];
    const uint32_t word = wordAt(group + 4);
    const float scale = d * (0.5f + static_cast<float>(word >> 28)) * 0.25f;
    iq2Elements(scale, kIq2XxsGrid[group[k % 4]], evenSigns((word >> (7 * (k % 4))) & 127), out + 8 * k);
  }
}

} // namespace llcuda::formats
