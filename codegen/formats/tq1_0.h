// SPDX-License-Identifier: Apache-2.0
// TQ1_0: 256 elements in 54 bytes. value = d * q, q in -1, 0, 1; five of them in a byte.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockTQ1_0 {
  uint8_t codes[48]; // bytes 0 ... 31: digit n of byte j is element 32 n + j; 32 ... 47: element 160 + 16 n + j - 32
  uint8_t tail[4];   // digit n of byte j: element 240 + 4 n + j
  uint16_t d;        // f16
};
static_assert(sizeof(BlockTQ1_0) == 54);

/// Digit n, counted from the most significant, of a byte that holds the fraction 0.ddddd in base 3, as 256ths.
LLCUDA_FORMAT int ternaryDigit(uint8_t byte, int n) {
  for (; n > 0; --n) byte = static_cast<uint8_t>(byte * 3);
  return (byte * 3 >> 8) - 1;
}

LLCUDA_FORMAT void dequantize(const BlockTQ1_0& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int i = 0; i < 160; ++i) out[i] = d * static_cast<float>(ternaryDigit(block.codes[i % 32], i / 32));
  for (int i = 0; i < 80; ++i) out[160 + i] = d * static_cast<float>(ternaryDigit(block.codes[32 + i % 16], i / 16));
  for (int i = 0; i < 16; ++i) out[240 + i] = d * static_cast<float>(ternaryDigit(block.tail[i % 4], i / 4));
}

} // namespace llcuda::formats
