// SPDX-License-Identifier: Apache-2.0
// NVFP4: 64 elements in 36 bytes, 4 groups of 16. value = scale / 2 * level[q]. A file may have a factor for the whole
// tensor in another tensor; it is not applied here.
#pragma once

#include "codegen/formats/mxfp4.h"

namespace llcuda::formats {

struct BlockNVFP4 {
  uint8_t scales[4]; // floats without sign: 4 exponent bits, bias 7, and 3 mantissa bits
  uint8_t codes[32]; // of each group 8 bytes: byte j has element j low, element j + 8 high
};
static_assert(sizeof(BlockNVFP4) == 36);

/// Half of the scale. Bit 7 is ignored; 0x7F, which would be NaN, counts as 0.
LLCUDA_FORMAT float nvfp4Scale(uint8_t bits) {
  if (bits == 0x7F)
    return 0.f;
  const uint32_t exponent = (bits >> 3) & 15, mantissa = bits & 7;
  if (exponent == 0)
    return static_cast<float>(mantissa) * 0x1p-10f;
  return floatFromBits((exponent + 119) << 23 | mantissa << 20);
}

LLCUDA_FORMAT void dequantize(const BlockNVFP4& block, float* out) {
  for (int i = 0; i < 64; ++i) {
    const int byte = block.codes[i / 16 * 8 + i % 8];
    out[i] = nvfp4Scale(block.scales[i / 16]) * static_cast<float>(kFp4Levels[i % 16 < 8 ? byte & 15 : byte >> 4]);
  }
}

} // namespace llcuda::formats
