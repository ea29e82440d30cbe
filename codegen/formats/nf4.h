// SPDX-License-Identifier: Apache-2.0
// NF4 and FP4 of bitsandbytes as rows: 4-bit codes into a table of 16, and the largest magnitude of a block.
//
// The file's blocks run over the flattened tensor, with magnitudes that may be quantised again; ingest brings them into
// this form. Blocks of 64 weights serve every block size that is a multiple of 64 where rows are, blocks of 32 the
// rest. Table values: Dettmers et al. 2023, "QLoRA", appendix E, and the fp4 table of bitsandbytes, each rounded to
// f32.
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda::formats {

LLCUDA_TABLE float kNf4Values[16] = {-1.f,
                                     -0.6961928009986877f,
                                     -0.5250730514526367f,
                                     -0.39491748809814453f,
                                     -0.28444138169288635f,
                                     -0.18477343022823334f,
                                     -0.09105003625154495f,
                                     0.f,
                                     0.07958029955625534f,
                                     0.16093020141124725f,
                                     0.24611230194568634f,
                                     0.33791524171829224f,
                                     0.44070982933044434f,
                                     0.5626170039176941f,
                                     0.7229568362236023f,
                                     1.f};

LLCUDA_TABLE float kFp4Values[16] = {0.f,  0.0625f / 12.f,  8.f / 12.f,  1.f,  4.f / 12.f,  0.5f,  2.f / 12.f,  0.25f,
                                     -0.f, -0.0625f / 12.f, -8.f / 12.f, -1.f, -4.f / 12.f, -0.5f, -2.f / 12.f, -0.25f};

/// Byte j holds element 2j in its high and 2j + 1 in its low nibble, as bitsandbytes stores them.
template <int kElements>
struct BlockFourBit {
  static constexpr int kSize = kElements;
  float absmax;
  uint8_t codes[kElements / 2];
};
/// w = values[code] * absmax, one f32 rounding.
template <int kElements>
LLCUDA_FORMAT void dequantizeFourBit(const BlockFourBit<kElements>& block, const float (&values)[16], float* out) {
  for (int i = 0; i < kElements; ++i) out[i] = values[block.codes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15] * block.absmax;
}

struct BlockNf4 : BlockFourBit<64> {};
struct BlockNf4Short : BlockFourBit<32> {};
struct BlockFp4 : BlockFourBit<64> {};
struct BlockFp4Short : BlockFourBit<32> {};
static_assert(sizeof(BlockNf4) == 36 && sizeof(BlockNf4Short) == 20);

LLCUDA_FORMAT void dequantize(const BlockNf4& block, float* out) {
  dequantizeFourBit(block, kNf4Values, out);
}
LLCUDA_FORMAT void dequantize(const BlockNf4Short& block, float* out) {
  dequantizeFourBit(block, kNf4Values, out);
}
LLCUDA_FORMAT void dequantize(const BlockFp4& block, float* out) {
  dequantizeFourBit(block, kFp4Values, out);
}
LLCUDA_FORMAT void dequantize(const BlockFp4Short& block, float* out) {
  dequantizeFourBit(block, kFp4Values, out);
}

} // namespace llcuda::formats
