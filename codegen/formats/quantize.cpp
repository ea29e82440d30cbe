// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/quantize.h"

#include <cassert>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>

#include "codegen/formats/quantize_blocks.h"

namespace llcuda::formats {
namespace {

using RowEncoder = void (*)(const float* values, const float* importance, std::size_t elements, std::byte* out);

template <typename Block, std::size_t kElements, void (*kQuantize)(const float*, Block&)>
void encodeBlocks(const float* values, const float*, std::size_t elements, std::byte* out) {
  for (std::size_t i = 0; i < elements; i += kElements, out += sizeof(Block)) {
    Block block;
    kQuantize(values + i, block);
    std::memcpy(out, &block, sizeof block);
  }
}

template <typename Block, std::size_t kElements>
void encodeFitted(const float* values, const float* importance, std::size_t elements, std::byte* out) {
  for (std::size_t i = 0; i < elements; i += kElements, out += sizeof(Block)) {
    Block block;
    quantizeFitted(values + i, importance ? importance + i : nullptr, block);
    std::memcpy(out, &block, sizeof block);
  }
}

/// Rounded where all elements count alike.
template <typename Block>
void encodeCentered(const float* values, const float* importance, std::size_t elements, std::byte* out) {
  importance ? encodeFitted<Block, 32>(values, importance, elements, out)
             : encodeBlocks<Block, 32, quantize>(values, importance, elements, out);
}

template <int kElements, const float (&kValues)[16]>
void encodeFourBit(const float* values, const float*, std::size_t elements, std::byte* out) {
  const FourBitEncoder encoder(kValues);
  for (std::size_t i = 0; i < elements; i += kElements, out += sizeof(BlockFourBit<kElements>)) {
    BlockFourBit<kElements> block;
    block.absmax = encoder.encode(values + i, kElements, block.codes);
    std::memcpy(out, &block, sizeof block);
  }
}

template <uint16_t (*kRound)(float)>
void encodeHalves(const float* values, const float*, std::size_t elements, std::byte* out) {
  for (std::size_t i = 0; i < elements; ++i) {
    const uint16_t half = kRound(values[i]);
    std::memcpy(out + i * sizeof half, &half, sizeof half);
  }
}

void copyFloats(const float* values, const float*, std::size_t elements, std::byte* out) {
  std::memcpy(out, values, elements * sizeof(float));
}

enum class Range { kHalf, kFloat }; ///< of the number that says how large values are

struct Encoding {
  RowEncoder encode;
  Range range;
  bool heedsImportance = false;
};

std::optional<Encoding> encodingOf(TensorType type) {
  switch (type) {
  case TensorType::kF32:
    return Encoding{copyFloats, Range::kFloat};
  case TensorType::kF16:
    return Encoding{encodeHalves<floatToHalf>, Range::kHalf};
  case TensorType::kBF16:
    return Encoding{encodeHalves<floatToBf16>, Range::kFloat};
  case TensorType::kQ8_0:
    return Encoding{encodeBlocks<BlockQ8_0, 32, quantize>, Range::kHalf};
  case TensorType::kQ4_0:
    return Encoding{encodeCentered<BlockQ4_0>, Range::kHalf, true};
  case TensorType::kQ4_1:
    return Encoding{encodeBlocks<BlockQ4_1, 32, quantize>, Range::kHalf};
  case TensorType::kQ5_0:
    return Encoding{encodeCentered<BlockQ5_0>, Range::kHalf, true};
  case TensorType::kQ5_1:
    return Encoding{encodeBlocks<BlockQ5_1, 32, quantize>, Range::kHalf};
  case TensorType::kQ4_K:
    return Encoding{encodeFitted<BlockQ4_K, 256>, Range::kHalf, true};
  case TensorType::kQ5_K:
    return Encoding{encodeFitted<BlockQ5_K, 256>, Range::kHalf, true};
  case TensorType::kQ6_K:
    return Encoding{encodeFitted<BlockQ6_K, 256>, Range::kHalf, true};
  case TensorType::kNf4:
    return Encoding{encodeFourBit<64, kNf4Values>, Range::kFloat};
  case TensorType::kNf4Short:
    return Encoding{encodeFourBit<32, kNf4Values>, Range::kFloat};
  case TensorType::kFp4:
    return Encoding{encodeFourBit<64, kFp4Values>, Range::kFloat};
  case TensorType::kFp4Short:
    return Encoding{encodeFourBit<32, kFp4Values>, Range::kFloat};
  default:
    return std::nullopt;
  }
}

} // namespace

bool canQuantize(TensorType type) {
  return encodingOf(type).has_value();
}

bool heedsImportance(TensorType type) {
  const std::optional<Encoding> encoding = encodingOf(type);
  return encoding && encoding->heedsImportance;
}

float largestMagnitude(TensorType type) {
  const std::optional<Encoding> encoding = encodingOf(type);
  assert(encoding && "the encoding is one that canQuantize");
  return encoding->range == Range::kFloat ? std::numeric_limits<float>::max() : 65504.f;
}

void quantizeRow(TensorType type, const float* values, std::size_t elements, std::byte* out, const float* importance) {
  const std::optional<Encoding> encoding = encodingOf(type);
  assert(encoding && elements % tensorTypeInfo(type).blockElements == 0);
  encoding->encode(values, importance, elements, out);
}

} // namespace llcuda::formats
