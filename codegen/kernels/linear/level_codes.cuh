// SPDX-License-Identifier: Apache-2.0
// Codes of four bits that stand for int8 levels of a table.
#pragma once

#include "codegen/formats/iq4_nl.h"
#include "codegen/formats/mxfp4.h"
#include "codegen/kernels/linear/weight_traits.cuh"
#include "codegen/kernels/ptx/levels.cuh"

namespace llcuda {

/// A table of 16 bytes.
struct LevelTable {
  uint32_t word[4];
};

/// Of the lowest bytes of byteOf(0) ... byteOf(15).
template <typename ByteOf>
LLCUDA_DEVICE constexpr LevelTable tableOfBytes(ByteOf byteOf) {
  LevelTable table = {};
  for (int i = 0; i < 16; ++i) table.word[i / 4] |= (static_cast<uint32_t>(byteOf(i)) & 0xff) << (i % 4 * 8);
  return table;
}

LLCUDA_DEVICE constexpr LevelTable levelTable(const int8_t (&levels)[16]) {
  return tableOfBytes([&](int i) { return levels[i]; });
}

/// What `levels` makes of each of four words of nibbles, in the order of the elements.
template <typename Levels>
LLCUDA_DEVICE CodeWords<8> codesOfNibbles(const uint4& nibbles, Levels levels) {
  const uint2 a = levels(nibbles.x), b = levels(nibbles.y), c = levels(nibbles.z), d = levels(nibbles.w);
  return {{a.x, b.x, c.x, d.x, a.y, b.y, c.y, d.y}};
}

/// The levels of 32 nibbles, and of a word of them.
LLCUDA_DEVICE CodeWords<8> levelCodes(const uint4& nibbles, const LevelTable& table) {
  return codesOfNibbles(nibbles, [&](uint32_t word) { return levelsOf(word, table.word); });
}
LLCUDA_DEVICE CodeWords<2> levelCodes(uint32_t nibbles, const LevelTable& table) {
  const uint2 both = levelsOf(nibbles, table.word);
  return {{both.x, both.y}};
}

/// The sum of the products of 32 nibbles' levels, which are below 128, with the input. The levels of each half of the
/// table are multiplied by themselves: what brought them together would be of the pipe that looks them up.
LLCUDA_DEVICE int dotLowLevels(const uint4& nibbles, const LevelTable& table, const Int8Input& x) {
  const auto dotHalf = [&](uint32_t flip, int half) {
    const uint4 selectors = make_uint4(nibbles.x ^ flip, nibbles.y ^ flip, nibbles.z ^ flip, nibbles.w ^ flip);
    const CodeWords<8> codes = codesOfNibbles(
        selectors, [&](uint32_t word) { return lowLevelsOf(word, table.word[2 * half], table.word[2 * half + 1]); });
    return dotCodes<4>(codes, x.x1, dotCodes<0>(codes, x.x0));
  };
  return dotHalf(0, 0) + dotHalf(0x88888888u, 1);
}

} // namespace llcuda
