// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/dequantize.h"

#include <cassert>
#include <cstring>

#include "codegen/formats/iq1_m.h"
#include "codegen/formats/iq1_s.h"
#include "codegen/formats/iq2_s.h"
#include "codegen/formats/iq2_xs.h"
#include "codegen/formats/iq2_xxs.h"
#include "codegen/formats/iq3_s.h"
#include "codegen/formats/iq3_xxs.h"
#include "codegen/formats/iq4_nl.h"
#include "codegen/formats/iq4_xs.h"
#include "codegen/formats/mxfp4.h"
#include "codegen/formats/nf4.h"
#include "codegen/formats/nvfp4.h"
#include "codegen/formats/q1_0.h"
#include "codegen/formats/q2_0.h"
#include "codegen/formats/q2_k.h"
#include "codegen/formats/q3_k.h"
#include "codegen/formats/q4_0.h"
#include "codegen/formats/q4_1.h"
#include "codegen/formats/q4_k.h"
#include "codegen/formats/q5_0.h"
#include "codegen/formats/q5_1.h"
#include "codegen/formats/q5_k.h"
#include "codegen/formats/q6_k.h"
#include "codegen/formats/q8_0.h"
#include "codegen/formats/q8_k.h"
#include "codegen/formats/tq1_0.h"
#include "codegen/formats/tq2_0.h"

namespace llcuda::formats {
namespace {

using RowDecoder = void (*)(const std::byte* blocks, std::size_t elements, float* out);

// Blocks of a file may lie at odd addresses, so each is copied to an aligned one first.
template <typename Block, std::size_t kElements>
void decodeBlocks(const std::byte* blocks, std::size_t elements, float* out) {
  for (std::size_t i = 0; i < elements; i += kElements, blocks += sizeof(Block)) {
    Block block;
    std::memcpy(&block, blocks, sizeof block);
    dequantize(block, out + i);
  }
}

template <int kElements, const float (&kValues)[16]>
void decodeFourBit(const std::byte* blocks, std::size_t elements, float* out) {
  using Block = BlockFourBit<kElements>;
  for (std::size_t i = 0; i < elements; i += kElements, blocks += sizeof(Block)) {
    Block block;
    std::memcpy(&block, blocks, sizeof block);
    dequantizeFourBit(block, kValues, out + i);
  }
}

template <typename Stored, auto kConvert>
void decodeScalars(const std::byte* values, std::size_t elements, float* out) {
  for (std::size_t i = 0; i < elements; ++i) {
    Stored value;
    std::memcpy(&value, values + i * sizeof value, sizeof value);
    out[i] = kConvert(value);
  }
}

void copyFloats(const std::byte* values, std::size_t elements, float* out) {
  std::memcpy(out, values, elements * sizeof(float));
}

RowDecoder decoderOf(TensorType type) {
  switch (type) {
  case TensorType::kF32:
    return copyFloats;
  case TensorType::kF16:
    return decodeScalars<uint16_t, halfToFloat>;
  case TensorType::kBF16:
    return decodeScalars<uint16_t, bf16ToFloat>;
  case TensorType::kQ4_0:
    return decodeBlocks<BlockQ4_0, 32>;
  case TensorType::kQ4_1:
    return decodeBlocks<BlockQ4_1, 32>;
  case TensorType::kQ5_0:
    return decodeBlocks<BlockQ5_0, 32>;
  case TensorType::kQ5_1:
    return decodeBlocks<BlockQ5_1, 32>;
  case TensorType::kQ8_0:
    return decodeBlocks<BlockQ8_0, 32>;
  case TensorType::kQ2_K:
    return decodeBlocks<BlockQ2_K, 256>;
  case TensorType::kQ3_K:
    return decodeBlocks<BlockQ3_K, 256>;
  case TensorType::kQ4_K:
    return decodeBlocks<BlockQ4_K, 256>;
  case TensorType::kQ5_K:
    return decodeBlocks<BlockQ5_K, 256>;
  case TensorType::kQ6_K:
    return decodeBlocks<BlockQ6_K, 256>;
  case TensorType::kQ8_K:
    return decodeBlocks<BlockQ8_K, 256>;
  case TensorType::kQ1_0:
    return decodeBlocks<BlockQ1_0, 128>;
  case TensorType::kQ2_0:
    return decodeBlocks<BlockQ2_0, 64>;
  case TensorType::kIQ1_S:
    return decodeBlocks<BlockIQ1_S, 256>;
  case TensorType::kIQ1_M:
    return decodeBlocks<BlockIQ1_M, 256>;
  case TensorType::kIQ2_XXS:
    return decodeBlocks<BlockIQ2_XXS, 256>;
  case TensorType::kIQ2_XS:
    return decodeBlocks<BlockIQ2_XS, 256>;
  case TensorType::kIQ2_S:
    return decodeBlocks<BlockIQ2_S, 256>;
  case TensorType::kIQ3_XXS:
    return decodeBlocks<BlockIQ3_XXS, 256>;
  case TensorType::kIQ3_S:
    return decodeBlocks<BlockIQ3_S, 256>;
  case TensorType::kIQ4_NL:
    return decodeBlocks<BlockIQ4_NL, 32>;
  case TensorType::kIQ4_XS:
    return decodeBlocks<BlockIQ4_XS, 256>;
  case TensorType::kTQ1_0:
    return decodeBlocks<BlockTQ1_0, 256>;
  case TensorType::kTQ2_0:
    return decodeBlocks<BlockTQ2_0, 256>;
  case TensorType::kMXFP4:
    return decodeBlocks<BlockMXFP4, 32>;
  case TensorType::kNVFP4:
    return decodeBlocks<BlockNVFP4, 64>;
  case TensorType::kNf4:
    return decodeFourBit<64, kNf4Values>;
  case TensorType::kNf4Short:
    return decodeFourBit<32, kNf4Values>;
  case TensorType::kFp4:
    return decodeFourBit<64, kFp4Values>;
  case TensorType::kFp4Short:
    return decodeFourBit<32, kFp4Values>;
  default:
    return nullptr;
  }
}

} // namespace

bool canDequantize(TensorType type) {
  return decoderOf(type) != nullptr;
}

void dequantizeRow(TensorType type, const std::byte* blocks, std::size_t elements, float* out) {
  const RowDecoder decode = decoderOf(type);
  assert(decode && elements % tensorTypeInfo(type).blockElements == 0);
  decode(blocks, elements, out);
}

} // namespace llcuda::formats
