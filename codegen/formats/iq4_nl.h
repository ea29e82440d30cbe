// SPDX-License-Identifier: Apache-2.0
// IQ4_NL: 32 elements in 18 bytes. value = d * level[q], q in 0 ... 15.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockIQ4_NL {
  uint16_t d;        // f16
  uint8_t codes[16]; // byte j: element j low, element j + 16 high
};
static_assert(sizeof(BlockIQ4_NL) == 18);

/// Closer together near 0, where weights are.
LLCUDA_TABLE int8_t kIq4Levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

LLCUDA_FORMAT void dequantize(const BlockIQ4_NL& block, float* out) {
  const float d = halfToFloat(block.d);
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>(kIq4Levels[block.codes[j] & 15]);
    out[j + 16] = d * static_cast<float>(kIq4Levels[block.codes[j] >> 4]);
  }
}

} // namespace llcuda::formats
