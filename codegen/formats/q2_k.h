// SPDX-License-Identifier: Apache-2.0
// Q2_K: 256 elements in 84 bytes, 16 groups of 16. value = (d * scale) * q - dmin * min, q in 0 ... 3.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockQ2_K {
  uint8_t scales[16]; // of group g: scale low, min high
  uint8_t codes[64];  // of each half of 128 elements 32 bytes; bits 2s, 2s + 1 of byte l: element 32 s + l of the half
  uint16_t d, dmin;   // f16
};
static_assert(sizeof(BlockQ2_K) == 84);

LLCUDA_FORMAT void dequantize(const BlockQ2_K& block, float* out) {
  const float d = halfToFloat(block.d), dmin = halfToFloat(block.dmin);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, shift = i % 128 / 32 * 2;
    const int q = (block.codes[half * 32 + i % 32] >> shift) & 3;
    const float scale = d * static_cast<float>(block.scales[i / 16] & 15);
    const float min = dmin * static_cast<float>(block.scales[i / 16] >> 4);
    out[i] = scale * static_cast<float>(q) - min;
  }
}

} // namespace llcuda::formats
