// SPDX-License-Identifier: Apache-2.0
// Encodings of keys and values in the cache, and how the page of a kv head lies in memory.
//
// A page holds kKvPageTokens tokens of each kv head; the heads of a page follow one another. The part of one head is up
// to three planes, each [token][...]: codes; the fifth bits of q5_0 and q5_1, a word for every 32 elements; and for
// every 32 elements the scale, an f16, followed in q4_1 and q5_1 by the minimum. f16 has codes alone. The numbers are
// those of ggml's blocks of 32: so a quantised head size is a multiple of 32, and a page has the bytes of such blocks.
//
//   f16          an element is its own code
//   q8_0         a byte an element, in order
//   others       a word for 8 elements: byte i holds element i in its low and element i + 4 in its high nibble
//   fifth bits   bit i of a word belongs to element i of the 32
#pragma once

#include "codegen/formats/numbers.h"

namespace llcuda {

enum class KvType { kF16, kQ8_0, kQ4_0, kQ4_1, kQ5_0, kQ5_1 };

constexpr int kKvPageTokens = 64;
constexpr int kKvBlock = 32; ///< elements that share a scale

constexpr bool kvHasScales(KvType type) {
  return type != KvType::kF16;
}
constexpr bool kvHasMinimums(KvType type) {
  return type == KvType::kQ4_1 || type == KvType::kQ5_1;
}
constexpr bool kvHasFifthBits(KvType type) {
  return type == KvType::kQ5_0 || type == KvType::kQ5_1;
}
/// Bytes of the codes of 8 elements.
constexpr int kvVectorBytes(KvType type) {
  return type == KvType::kF16 ? 16 : type == KvType::kQ8_0 ? 8 : 4;
}

/// Bytes from the start of a head's part of a page to its fifth bits, to its scales, and to its end.
constexpr int kvFifthBitsOffset(KvType type, int headSize) {
  return kKvPageTokens * (headSize / 8) * kvVectorBytes(type);
}
constexpr int kvScalesOffset(KvType type, int headSize) {
  return kvFifthBitsOffset(type, headSize) + (kvHasFifthBits(type) ? kKvPageTokens * (headSize / kKvBlock) * 4 : 0);
}
constexpr int kvHeadBytes(KvType type, int headSize) {
  const int scaleBytes = kvHasMinimums(type) ? 4 : kvHasScales(type) ? 2 : 0;
  return kvScalesOffset(type, headSize) + kKvPageTokens * (headSize / kKvBlock) * scaleBytes;
}

} // namespace llcuda
