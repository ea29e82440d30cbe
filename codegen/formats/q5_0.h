// SPDX-License-Identifier: Apache-2.0
// Q5_0: 32 elements in 22 bytes. value = d * (q - 16), q in 0 ... 31.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockQ5_0 {
  uint16_t d;          // f16
  uint8_t highBits[4]; // bit j of the little-endian word: bit 4 of element j
  uint8_t codes[16];   // byte j: element j low, element j + 16 high
};
static_assert(sizeof(BlockQ5_0) == 22);

/// Element j of 32 whose low four bits lie as in Q4_0 and whose fifth bits lie in `highBits`.
LLCUDA_FORMAT int fiveBitCode(const uint8_t* codes, const uint8_t* highBits, int j) {
  const int low = j < 16 ? codes[j] & 15 : codes[j - 16] >> 4;
  return low | ((highBits[j / 8] >> (j % 8)) & 1) << 4;
}

LLCUDA_FORMAT void dequantize(const BlockQ5_0& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(fiveBitCode(block.codes, block.highBits, j) - 16);
}

} // namespace llcuda::formats
