// SPDX-License-Identifier: Apache-2.0
// IQ1_M: 256 elements in 56 bytes, 16 groups of 16. value = d * (2 s + 1) * (level + delta), delta = 1/8 or -1/8.
#pragma once

#include "codegen/formats/iq1.h"

namespace llcuda::formats {

struct BlockIQ1_M {
  uint8_t codes[32];  // of eight elements: the lower 8 bits of the grid index
  uint8_t high[16];   // nibble k, low first: the upper 3 bits of grid index k, and the sign of its delta
  uint16_t scales[4]; // 3 bits s of each of four groups; the upper nibbles together are the f16 d, lowest first
};
static_assert(sizeof(BlockIQ1_M) == 56);

LLCUDA_FORMAT void dequantize(const BlockIQ1_M& block, float* out) {
  const uint16_t* s = block.scales;
  const float d =
      halfToFloat(static_cast<uint16_t>(s[0] >> 12 | (s[1] >> 8 & 0x00F0) | (s[2] >> 4 & 0x0F00) | (s[3] & 0xF000)));
  for (int k = 0; k < 32; ++k) {
    const int high = (block.high[k / 2] >> (k % 2 * 4)) & 15;
    const int index = block.codes[k] | (high & 7) << 8;
    const int step = (s[k / 8] >> (k / 2 % 4 * 3)) & 7;
    iq1Elements(d * static_cast<float>(2 * step + 1), kIq1Grid[index], high & 8 ? -0.125f : 0.125f, out + 8 * k);
  }
}

} // namespace llcuda::formats
