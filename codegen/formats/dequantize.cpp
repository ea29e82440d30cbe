// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/dequantize.h"

#include <cassert>
#include <cstring>
#include <type_traits>

#include "codegen/formats/blocks.h"

namespace llcuda::formats {
namespace {

using RowDecoder = void (*)(const std::byte* blocks, std::size_t elements, float* out);

// Blocks of a file may lie at odd addresses, so each is copied to an aligned one first.
template <typename Block, std::size_t kElements, std::size_t kBytes>
void decodeBlocks(const std::byte* blocks, std::size_t elements, float* out) {
  static_assert(sizeof(Block) == kBytes);
  for (std::size_t i = 0; i < elements; i += kElements, blocks += kBytes) {
    Block block;
    std::memcpy(&block, blocks, kBytes);
    dequantize(block, out + i);
  }
}

template <typename Block, std::size_t kElements, std::size_t kBytes>
constexpr RowDecoder blockDecoder() {
  if constexpr (std::is_void_v<Block>)
    return nullptr;
  else
    return decodeBlocks<Block, kElements, kBytes>;
}

constexpr RowDecoder decoderOf(TensorType type) {
  switch (type) {
#define LLCUDA_ENCODING(enumerator, number, name, elements, bytes, Block, layout)                                      \
  case TensorType::enumerator:                                                                                         \
    return blockDecoder<Block, elements, bytes>();
#include "codegen/formats/encodings.inc"
  }
  return nullptr;
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
