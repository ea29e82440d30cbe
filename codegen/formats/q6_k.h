// SPDX-License-Identifier: Apache-2.0
// Q6_K: 256 elements in 210 bytes, 16 groups of 16. value = (d * scale) * q, q in -32 ... 31.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockQ6_K {
  uint8_t lowBits[128]; // of each half of 128 elements 64 bytes: low nibbles the first 64, high nibbles the others
  uint8_t highBits[64]; // of each half 32 bytes: bits 2s, 2s + 1 of byte l belong to element 32 s + l
  int8_t scales[16];    // of each group
  uint16_t d;           // f16
};
static_assert(sizeof(BlockQ6_K) == 210);

LLCUDA_FORMAT void dequantize(const BlockQ6_K& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, within = i % 128;
    const int byte = block.lowBits[half * 64 + within % 64];
    const int low = within < 64 ? byte & 15 : byte >> 4;
    const int high = (block.highBits[half * 32 + within % 32] >> (within / 32 * 2)) & 3;
    const float scale = d * static_cast<float>(block.scales[i / 16]);
    out[i] = scale * static_cast<float>((low | high << 4) - 32);
  }
}

} // namespace llcuda::formats
