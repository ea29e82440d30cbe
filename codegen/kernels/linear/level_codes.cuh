// SPDX-License-Identifier: Apache-2.0
// Codes of four bits that stand for int8 levels of a table.
#pragma once

#include "codegen/formats/iq4_nl.h"
#include "codegen/formats/mxfp4.h"
#include "codegen/kernels/linear/weight_traits.cuh"
#include "codegen/kernels/ptx/levels.cuh"

namespace llcuda {

/// A table of 16 bytes for levelsOf and lowLevelsOf.
struct LevelTable {
  uint32_t word[4];
};

LLCUDA_DEVICE constexpr LevelTable levelTable(const int8_t (&levels)[16]) {
  LevelTable table = {};
  for (int i = 0; i < 16; ++i)
    table.word[i / 4] |= static_cast<uint32_t>(static_cast<uint8_t>(levels[i])) << (i % 4 * 8);
  return table;
}

/// The levels of 32 nibbles in order.
LLCUDA_DEVICE CodeWords<8> levelCodes(const uint4& nibbles, const LevelTable& table) {
  const uint2 a = levelsOf(nibbles.x, table.word), b = levelsOf(nibbles.y, table.word);
  const uint2 c = levelsOf(nibbles.z, table.word), d = levelsOf(nibbles.w, table.word);
  return {{a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y}};
}
/// The same of levels below 128.
LLCUDA_DEVICE CodeWords<8> lowLevelCodes(const uint4& nibbles, const LevelTable& table) {
  const uint2 a = lowLevelsOf(nibbles.x, table.word), b = lowLevelsOf(nibbles.y, table.word);
  const uint2 c = lowLevelsOf(nibbles.z, table.word), d = lowLevelsOf(nibbles.w, table.word);
  return {{a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y}};
}

} // namespace llcuda
