// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/finite.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "codegen/formats/blocks.h"
#include "codegen/formats/dequantize.h"

namespace llcuda::formats {
namespace {

constexpr bool isSuspect(uint16_t half) {
  return (half & 0x7C00) == 0x7C00;
}
/// Also a scale from 2^64 on, which codes may take out of f32.
constexpr bool isSuspect(float value) {
  return (bitsFromFloat(value) & 0x7F800000) >= 0x5F800000;
}

// What scales are called in the blocks. An encoding whose scale is spread over bits, or is a float of 8 bits, has none
// of these names: all its blocks are decoded.
template <typename Block>
bool isSuspect(const Block& block) {
  if constexpr (std::is_same_v<Block, BlockF32>) {
    return (bitsFromFloat(block.value) & 0x7F800000) == 0x7F800000;
  } else if constexpr (std::is_same_v<Block, BlockF16>) {
    return isSuspect(block.bits);
  } else if constexpr (std::is_same_v<Block, BlockBF16>) {
    return (block.bits & 0x7F80) == 0x7F80;
  } else if constexpr (requires { block.d; }) {
    bool suspect = isSuspect(block.d);
    if constexpr (requires { block.m; })
      suspect = suspect || isSuspect(block.m);
    if constexpr (requires { block.dmin; })
      suspect = suspect || isSuspect(block.dmin);
    return suspect;
  } else if constexpr (requires { block.absmax; }) {
    return isSuspect(block.absmax);
  } else {
    return true;
  }
}

template <typename Block, size_t kElements, size_t kBytes>
std::optional<NonFinite> firstIn(std::span<const std::byte> bytes) {
  if constexpr (std::is_void_v<Block>) {
    return std::nullopt;
  } else {
    const size_t count = bytes.size() / kBytes;
    for (size_t i = 0; i < count; ++i) {
      Block block;
      std::memcpy(&block, bytes.data() + i * kBytes, kBytes);
      if (!isSuspect(block))
        continue;
      std::array<float, kElements> values;
      dequantize(block, values.data());
      const auto* bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
      if (bad != values.end())
        return NonFinite{i * kElements + static_cast<size_t>(bad - values.begin()), *bad};
    }
    return std::nullopt;
  }
}

} // namespace

std::optional<NonFinite> firstNonFinite(TensorType type, std::span<const std::byte> blocks) {
  assert(canDequantize(type));
  switch (type) {
#define LLCUDA_ENCODING(enumerator, number, name, elements, bytes, Block, layout)                                      \
  case TensorType::enumerator:                                                                                         \
    return firstIn<Block, elements, bytes>(blocks);
#include "codegen/formats/encodings.inc"
  }
  return std::nullopt;
}

} // namespace llcuda::formats
