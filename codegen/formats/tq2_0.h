// SPDX-License-Identifier: Apache-2.0
// TQ2_0: 256 elements in 66 bytes. value = d * (q - 1), q in 0 ... 3.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockTQ2_0 {
  uint8_t codes[64]; // of each half of 128 elements 32 bytes; bits 2s, 2s + 1 of byte l: element 32 s + l of the half
  uint16_t d;        // f16
};
static_assert(sizeof(BlockTQ2_0) == 66);

LLCUDA_FORMAT void dequantize(const BlockTQ2_0& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int i = 0; i < 256; ++i) {
    const int q = (block.codes[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2)) & 3;
    out[i] = d * static_cast<float>(q - 1);
  }
}

} // namespace llcuda::formats
