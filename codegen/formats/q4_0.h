// SPDX-License-Identifier: Apache-2.0
// Q4_0: 32 elements in 18 bytes. value = d * (q - 8), q in 0 ... 15.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockQ4_0 {
  uint16_t d;        // f16
  uint8_t codes[16]; // byte j: element j low, element j + 16 high
};
static_assert(sizeof(BlockQ4_0) == 18);

LLCUDA_FORMAT void dequantize(const BlockQ4_0& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>((block.codes[j] & 15) - 8);
    out[j + 16] = d * static_cast<float>((block.codes[j] >> 4) - 8);
  }
}

} // namespace llcuda::formats
