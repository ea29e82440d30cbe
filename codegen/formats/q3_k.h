// SPDX-License-Identifier: Apache-2.0
// Q3_K: 256 elements in 110 bytes, 16 groups of 16. value = (d * scale) * q, q in -4 ... 3, scale in -32 ... 31.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockQ3_K {
  uint8_t highBits[32]; // bit i / 32 of byte i % 32, of element i: clear means 4 less
  uint8_t codes[64];    // as in Q2_K
  uint8_t scales[12];   // 16 of 6 bits: low nibbles in bytes 0 ... 7, upper two bits in bytes 8 ... 11
  uint16_t d;           // f16
};
static_assert(sizeof(BlockQ3_K) == 110);

LLCUDA_FORMAT int groupScale(const BlockQ3_K& block, int group) {
  const int low = group < 8 ? block.scales[group] & 15 : block.scales[group - 8] >> 4;
  const int high = (block.scales[8 + group % 4] >> (group / 4 * 2)) & 3;
  return (low | high << 4) - 32;
}

LLCUDA_FORMAT void dequantize(const BlockQ3_K& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, shift = i % 128 / 32 * 2;
    const int low = (block.codes[half * 32 + i % 32] >> shift) & 3;
    const int high = (block.highBits[i % 32] >> (i / 32)) & 1;
    const float scale = d * static_cast<float>(groupScale(block, i / 16));
    out[i] = scale * static_cast<float>(low - (high ? 0 : 4));
  }
}

} // namespace llcuda::formats
