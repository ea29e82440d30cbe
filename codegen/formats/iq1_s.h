// SPDX-License-Identifier: Apache-2.0
// IQ1_S: 256 elements in 50 bytes, 8 groups of 32. value = d * (2 s + 1) * (level + delta), delta = 1/8 or -1/8.
#pragma once

#include "codegen/formats/iq1.h"

namespace llcuda::formats {

struct BlockIQ1_S {
  uint16_t d;        // f16
  uint8_t codes[32]; // of eight elements: the lower 8 bits of the grid index
  uint16_t high[8];  // of each group: 4 times the upper 3 bits of the index, s in 3 bits, the sign of delta
};
static_assert(sizeof(BlockIQ1_S) == 50);

LLCUDA_FORMAT void dequantize(const BlockIQ1_S& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int k = 0; k < 32; ++k) {
    const int high = block.high[k / 4];
    const int index = block.codes[k] | ((high >> (k % 4 * 3)) & 7) << 8;
    const float scale = d * static_cast<float>(2 * ((high >> 12) & 7) + 1);
    iq1Elements(scale, kIq1Grid[index], high & 0x8000 ? -0.125f : 0.125f, out + 8 * k);
  }
}

} // namespace llcuda::formats
