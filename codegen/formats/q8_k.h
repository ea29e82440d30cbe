// SPDX-License-Identifier: Apache-2.0
// Q8_K: 256 elements in 292 bytes. value = d * q. What ggml multiplies K-encodings with; rare in files.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockQ8_K {
  float d;
  int8_t codes[256];
  int16_t sums[16]; // of 16 codes each
};
static_assert(sizeof(BlockQ8_K) == 292);

LLCUDA_FORMAT void dequantize(const BlockQ8_K& block, float* out) {
  for (int i = 0; i < 256; ++i) out[i] = block.d * static_cast<float>(block.codes[i]);
}

} // namespace llcuda::formats
