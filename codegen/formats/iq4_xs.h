// SPDX-License-Identifier: Apache-2.0
// IQ4_XS: 256 elements in 136 bytes, 8 groups of 32. value = (d * scale) * level[q], scale in -32 ... 31.
#pragma once

#include "codegen/formats/iq4_nl.h"

namespace llcuda::formats {

struct BlockIQ4_XS {
  uint16_t d;           // f16
  uint16_t scalesHigh;  // bits 2g, 2g + 1: the upper two bits of the scale of group g
  uint8_t scalesLow[4]; // nibble g, low first: its lower four
  uint8_t codes[128];   // of each group 16 bytes as in IQ4_NL
};
static_assert(sizeof(BlockIQ4_XS) == 136);

LLCUDA_FORMAT int groupScale(const BlockIQ4_XS& block, int group) {
  const int low = (block.scalesLow[group / 2] >> (group % 2 * 4)) & 15;
  return (low | ((block.scalesHigh >> (2 * group)) & 3) << 4) - 32;
}

LLCUDA_FORMAT void dequantize(const BlockIQ4_XS& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int i = 0; i < 256; ++i) {
    const int byte = block.codes[i / 32 * 16 + i % 16];
    const float scale = d * static_cast<float>(groupScale(block, i / 32));
    out[i] = scale * static_cast<float>(kIq4Levels[i % 32 < 16 ? byte & 15 : byte >> 4]);
  }
}

} // namespace llcuda::formats
