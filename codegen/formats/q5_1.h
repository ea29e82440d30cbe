// SPDX-License-Identifier: Apache-2.0
// Q5_1: 32 elements in 24 bytes. value = d * q + m, q in 0 ... 31.
#pragma once

#include "codegen/formats/q5_0.h"

namespace llcuda::formats {

struct BlockQ5_1 {
  uint16_t d, m;       // f16
  uint8_t highBits[4]; // bit j of the little-endian word: bit 4 of element j
  uint8_t codes[16];   // byte j: element j low, element j + 16 high
};
static_assert(sizeof(BlockQ5_1) == 24);

LLCUDA_FORMAT void dequantize(const BlockQ5_1& block, float* out) {
  const float d = halfToFloat(block.d), m = halfToFloat(block.m);
  for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(fiveBitCode(block.codes, block.highBits, j)) + m;
}

} // namespace llcuda::formats
