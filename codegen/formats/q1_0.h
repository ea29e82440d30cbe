// SPDX-License-Identifier: Apache-2.0
// Q1_0: 128 elements in 18 bytes. value = d or -d.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockQ1_0 {
  uint16_t d;       // f16
  uint8_t bits[16]; // bit j % 8 of byte j / 8, of element j: set means d
};
static_assert(sizeof(BlockQ1_0) == 18);

LLCUDA_FORMAT void dequantize(const BlockQ1_0& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int j = 0; j < 128; ++j) out[j] = (block.bits[j / 8] >> (j % 8)) & 1 ? d : -d;
}

} // namespace llcuda::formats
