// SPDX-License-Identifier: Apache-2.0
// Encodings of keys and values in the cache, and how the page of a kv head lies in memory.
//
// A page holds kKvPageTokens tokens of each kv head; the heads of a page follow one another. The part of one head is up
// to three planes, each [token][...]: codes; fifth bits, a word for every 32 elements; and for every 32 elements the
// scale, an f16, followed in some types by the minimum, an f16 too. A type without scales has codes alone. The numbers
// are those of ggml's blocks: so the head size is a multiple of the type's block, and a page has the bytes of such
// blocks.
//
//   16 bytes for 8 elements   an element is its own code
//   8                         a byte an element, in order
//   4                         a word: byte i holds element i in its low and element i + 4 in its high nibble
//   fifth bits                bit i of a word belongs to element i of the 32
#pragma once

#include "codegen/formats/numbers.h"
#include "codegen/formats/stated.h"

namespace llcuda {

enum class KvType {
#define LLCUDA_KV_TYPE(enumerator, ...) enumerator,
#include "codegen/formats/kv_types.inc"
};

constexpr int kKvPageTokens = 64;
constexpr int kKvBlock = 32; ///< elements that share a scale, in types that have one

/// What kv_types.inc states of a type.
struct KvFacts {
  Stated<int> block;       ///< elements that are made together: kKvBlock, or 1 where there are no scales
  Stated<int> vectorBytes; ///< of the codes of 8 elements
  Stated<bool> fifthBits;  ///< beside codes of four bits
  Stated<int> scaleBytes;  ///< of a block: 0; 2, a scale; 4, a scale and a minimum
  Stated<bool> coarse;     ///< so few codes that what int8 activations change is rounded to others
};

constexpr KvFacts kvFacts(KvType type) {
  switch (type) {
#define LLCUDA_KV_TYPE(enumerator, ...)                                                                                \
  case KvType::enumerator:                                                                                             \
    return {__VA_ARGS__};
#include "codegen/formats/kv_types.inc"
  }
  __builtin_unreachable();
}

constexpr int kvBlock(KvType type) {
  return kvFacts(type).block;
}
constexpr bool kvHasScales(KvType type) {
  return kvFacts(type).scaleBytes != 0;
}
constexpr bool kvHasMinimums(KvType type) {
  return kvFacts(type).scaleBytes == 4;
}
constexpr bool kvHasFifthBits(KvType type) {
  return kvFacts(type).fifthBits;
}
/// Bytes of the codes of 8 elements.
constexpr int kvVectorBytes(KvType type) {
  return kvFacts(type).vectorBytes;
}

/// Bytes from the start of a head's part of a page to its fifth bits, to its scales, and to its end.
constexpr int kvFifthBitsOffset(KvType type, int headSize) {
  return kKvPageTokens * (headSize / 8) * kvVectorBytes(type);
}
constexpr int kvScalesOffset(KvType type, int headSize) {
  return kvFifthBitsOffset(type, headSize) + (kvHasFifthBits(type) ? kKvPageTokens * (headSize / kKvBlock) * 4 : 0);
}
constexpr int kvHeadBytes(KvType type, int headSize) {
  return kvScalesOffset(type, headSize) + kKvPageTokens * (headSize / kKvBlock) * kvFacts(type).scaleBytes;
}

/// Whether the facts of a type are ones that kernels can have.
constexpr bool kvFactsHold(KvType type) {
  const KvFacts facts = kvFacts(type);
  const bool plain = facts.vectorBytes == 16, bytes = facts.vectorBytes == 8, nibbles = facts.vectorBytes == 4;
  return (plain || bytes || nibbles) && facts.block == (plain ? 1 : kKvBlock) && kvHasScales(type) == !plain &&
         (nibbles || !facts.fifthBits);
}
#define LLCUDA_KV_TYPE(enumerator, ...) static_assert(kvFactsHold(KvType::enumerator));
#include "codegen/formats/kv_types.inc"

} // namespace llcuda
