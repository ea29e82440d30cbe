// SPDX-License-Identifier: Apache-2.0
// MXFP4: 32 elements in 17 bytes. value = 2^(e - 128) * level[q]; levels are those of a 4-bit float, doubled.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockMXFP4 {
  uint8_t exponent;
  uint8_t codes[16]; // byte j: element j low, element j + 16 high
};
static_assert(sizeof(BlockMXFP4) == 17);

/// The float with 1 sign, 2 exponent and 1 mantissa bit, times 2.
LLCUDA_TABLE int8_t kFp4Levels[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/// 2^(exponent - 128); below 2^-126 a denormal.
LLCUDA_FORMAT float mxfp4Scale(uint8_t exponent) {
  return floatFromBits(exponent < 2 ? 0x00200000u << exponent : static_cast<uint32_t>(exponent - 1) << 23);
}

LLCUDA_FORMAT void dequantize(const BlockMXFP4& block, float* out) {
  const float d = mxfp4Scale(block.exponent);
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>(kFp4Levels[block.codes[j] & 15]);
    out[j + 16] = d * static_cast<float>(kFp4Levels[block.codes[j] >> 4]);
  }
}

} // namespace llcuda::formats
