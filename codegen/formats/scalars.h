// SPDX-License-Identifier: Apache-2.0
// F32, F16, BF16: encodings whose block is one element.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

struct BlockF32 {
  float value;
};
struct BlockF16 {
  uint16_t bits;
};
struct BlockBF16 {
  uint16_t bits;
};

LLCUDA_FORMAT void dequantize(const BlockF32& block, float* out) {
  *out = block.value;
}
LLCUDA_FORMAT void dequantize(const BlockF16& block, float* out) {
  *out = halfToFloat(block.bits);
}
LLCUDA_FORMAT void dequantize(const BlockBF16& block, float* out) {
  *out = bf16ToFloat(block.bits);
}

} // namespace llcuda::formats
