// SPDX-License-Identifier: Apache-2.0
// Q8_0: 32 elements in 34 bytes. value = d * q.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockQ8_0 {
  uint16_t d;       // f16
  int8_t codes[32]; // in order
};
static_assert(sizeof(BlockQ8_0) == 34);

LLCUDA_FORMAT void dequantize(const BlockQ8_0& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(block.codes[j]);
}

} // namespace llcuda::formats
