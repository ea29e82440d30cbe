// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/quantize.h"

#include <cassert>
#include <cstdint>
#include <cstring>
#include <limits>

#include "codegen/formats/quantize_blocks.h"

namespace llcuda::formats {
namespace {

using RowEncoder = void (*)(const float* values, std::size_t elements, std::byte* out);

template <typename Block, std::size_t kElements, void (*kQuantize)(const float*, Block&)>
void encodeBlocks(const float* values, std::size_t elements, std::byte* out) {
  for (std::size_t i = 0; i < elements; i += kElements, out += sizeof(Block)) {
    Block block;
    kQuantize(values + i, block);
    std::memcpy(out, &block, sizeof block);
  }
}

template <int kElements, const float (&kValues)[16]>
void encodeFourBit(const float* values, std::size_t elements, std::byte* out) {
  const FourBitEncoder encoder(kValues);
  for (std::size_t i = 0; i < elements; i += kElements, out += sizeof(BlockFourBit<kElements>)) {
    BlockFourBit<kElements> block;
    block.absmax = encoder.encode(values + i, kElements, block.codes);
    std::memcpy(out, &block, sizeof block);
  }
}

template <uint16_t (*kRound)(float)>
void encodeHalves(const float* values, std::size_t elements, std::byte* out) {
  for (std::size_t i = 0; i < elements; ++i) {
    const uint16_t half = kRound(values[i]);
    std::memcpy(out + i * sizeof half, &half, sizeof half);
  }
}

void copyFloats(const float* values, std::size_t elements, std::byte* out) {
  std::memcpy(out, values, elements * sizeof(float));
}

RowEncoder encoderOf(TensorType type) {
  switch (type) {
  case TensorType::kF32:
    return copyFloats;
  case TensorType::kF16:
    return encodeHalves<floatToHalf>;
  case TensorType::kBF16:
    return encodeHalves<floatToBf16>;
  case TensorType::kQ8_0:
    return encodeBlocks<BlockQ8_0, 32, quantize>;
  case TensorType::kQ4_0:
    return encodeBlocks<BlockQ4_0, 32, quantize>;
  case TensorType::kQ4_1:
    return encodeBlocks<BlockQ4_1, 32, quantize>;
  case TensorType::kQ5_0:
    return encodeBlocks<BlockQ5_0, 32, quantize>;
  case TensorType::kQ5_1:
    return encodeBlocks<BlockQ5_1, 32, quantize>;
  case TensorType::kQ4_K:
    return encodeBlocks<BlockQ4_K, 256, quantize>;
  case TensorType::kQ5_K:
    return encodeBlocks<BlockQ5_K, 256, quantize>;
  case TensorType::kQ6_K:
    return encodeBlocks<BlockQ6_K, 256, quantize>;
  case TensorType::kNf4:
    return encodeFourBit<64, kNf4Values>;
  case TensorType::kNf4Short:
    return encodeFourBit<32, kNf4Values>;
  case TensorType::kFp4:
    return encodeFourBit<64, kFp4Values>;
  case TensorType::kFp4Short:
    return encodeFourBit<32, kFp4Values>;
  default:
    return nullptr;
  }
}

bool hasFloatRange(TensorType type) {
  using enum TensorType;
  return type == kF32 || type == kBF16 || type == kNf4 || type == kNf4Short || type == kFp4 || type == kFp4Short;
}

} // namespace

bool canQuantize(TensorType type) {
  return encoderOf(type) != nullptr;
}

float largestMagnitude(TensorType type) {
  return hasFloatRange(type) ? std::numeric_limits<float>::max() : 65504.f;
}

void quantizeRow(TensorType type, const float* values, std::size_t elements, std::byte* out) {
  const RowEncoder encode = encoderOf(type);
  assert(encode && elements % tensorTypeInfo(type).blockElements == 0);
  encode(values, elements, out);
}

} // namespace llcuda::formats
