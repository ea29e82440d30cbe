// SPDX-License-Identifier: Apache-2.0
// Q2_0: 64 elements in 18 bytes. value = d * (q - 1), q in 0 ... 3.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockQ2_0 {
  uint16_t d;        // f16
  uint8_t codes[16]; // four to a byte, the first in the lowest bits
};
static_assert(sizeof(BlockQ2_0) == 18);

LLCUDA_FORMAT void dequantize(const BlockQ2_0& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int j = 0; j < 64; ++j) out[j] = d * static_cast<float>(((block.codes[j / 4] >> (j % 4 * 2)) & 3) - 1);
}

} // namespace llcuda::formats
