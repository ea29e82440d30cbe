// SPDX-License-Identifier: Apache-2.0
// Q5_K: 256 elements in 176 bytes, 8 groups of 32. value = (d * scale) * q - dmin * min, q in 0 ... 31.
#pragma once

#include "codegen/formats/q4_k.h"

namespace llcuda::formats {

struct BlockQ5_K {
  uint16_t d, dmin;     // f16
  uint8_t scales[12];   // as in Q4_K
  uint8_t highBits[32]; // bit g of byte l: bit 4 of element l of group g
  uint8_t codes[128];   // as in Q4_K
};
static_assert(sizeof(BlockQ5_K) == 176);

LLCUDA_FORMAT void dequantize(const BlockQ5_K& block, float* out) {
  const float d = halfToFloat(block.d), dmin = halfToFloat(block.dmin);
  for (int i = 0; i < 256; ++i) {
    const int group = i / 32;
    const int byte = block.codes[i / 64 * 32 + i % 32];
    const int q = (group % 2 ? byte >> 4 : byte & 15) | ((block.highBits[i % 32] >> group) & 1) << 4;
    const float scale = d * static_cast<float>(scaleOfGroup(block.scales, group));
    const float min = dmin * static_cast<float>(minOfGroup(block.scales, group));
    out[i] = scale * static_cast<float>(q) - min;
  }
}

} // namespace llcuda::formats
