// SPDX-License-Identifier: Apache-2.0
// Q4_1: 32 elements in 20 bytes. value = d * q + m, q in 0 ... 15.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockQ4_1 {
  uint16_t d, m;     // f16
  uint8_t codes[16]; // byte j: element j low, element j + 16 high
};
static_assert(sizeof(BlockQ4_1) == 20);

LLCUDA_FORMAT void dequantize(const BlockQ4_1& block, float* out) {
  const float d = halfToFloat(block.d), m = halfToFloat(block.m);
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>(block.codes[j] & 15) + m;
    out[j + 16] = d * static_cast<float>(block.codes[j] >> 4) + m;
  }
}

} // namespace llcuda::formats
