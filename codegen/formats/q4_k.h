// SPDX-License-Identifier: Apache-2.0
// Q4_K: 256 elements in 144 bytes, 8 groups of 32. value = (d * scale) * q - dmin * min, q in 0 ... 15.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockQ4_K {
  uint16_t d, dmin;   // f16
  uint8_t scales[12]; // 8 scales and 8 mins of 6 bits: scaleOfGroup, minOfGroup
  uint8_t codes[128]; // of each 64 elements 32 bytes: low nibbles the first 32, high nibbles the others
};
static_assert(sizeof(BlockQ4_K) == 144);

/// Groups 0 ... 3 have their six bits in bytes 0 ... 3 (scale) and 4 ... 7 (min); groups 4 ... 7 have four bits in a
/// nibble of bytes 8 ... 11 and the upper two in the spare bits of the bytes of the groups 0 ... 3.
LLCUDA_FORMAT int scaleOfGroup(const uint8_t* scales, int group) {
  return group < 4 ? scales[group] & 63 : (scales[group + 4] & 15) | (scales[group - 4] >> 6) << 4;
}
LLCUDA_FORMAT int minOfGroup(const uint8_t* scales, int group) {
  return group < 4 ? scales[group + 4] & 63 : (scales[group + 4] >> 4) | (scales[group] >> 6) << 4;
}

LLCUDA_FORMAT void dequantize(const BlockQ4_K& block, float* out) {
  const float d = halfToFloat(block.d), dmin = halfToFloat(block.dmin);
  for (int i = 0; i < 256; ++i) {
    const int group = i / 32;
    const int byte = block.codes[i / 64 * 32 + i % 32];
    const float scale = d * static_cast<float>(scaleOfGroup(block.scales, group));
    const float min = dmin * static_cast<float>(minOfGroup(block.scales, group));
    out[i] = scale * static_cast<float>(group % 2 ? byte >> 4 : byte & 15) - min;
  }
}

} // namespace llcuda::formats
