// SPDX-License-Identifier: Apache-2.0
// How attention is cut for a T4: what kernels are made of and what hosts launch them with, in one place for both.
#pragma once

#include "codegen/formats/kv_type.h"

namespace llcuda {

constexpr int kMaxHeadSize = 512; ///< of attention, and of the kernels that make queries and keys

/// Keys and values are kept and multiplied in vectors of 8 elements: those of a head, the last of which may have zeros.
constexpr int headVectors(int headSize) {
  return (headSize + 7) / 8;
}

// Decode attention

constexpr int kDecodeThreads = 128;

/// Query heads of one kv head that a block takes together, of `heads` that share it: the registers hold queries and
/// sums of up to eight, of heads above 256 of up to four. What is left over takes more blocks, each with the same
/// number of heads.
constexpr int headsTogether(int heads, int headSize) {
  const int most = headSize <= 256 ? 8 : 4;
  int together = heads < most ? heads : most;
  while (together > 1 && heads % together != 0) --together;
  return together < 1 ? 1 : together;
}

/// Whether tensor cores multiply with keys and values of these types. bf16 does not fit f16, and the sums of larger
/// heads not the registers.
constexpr bool decodesByTensorCores(int headSize, KvType keys, KvType values) {
  return headSize <= 128 && keys != KvType::kBF16 && values != KvType::kBF16;
}

/// Lanes that share a key, 8 elements each, or 16 of heads above 256.
constexpr int decodeKeyLanes(int headSize) {
  const int vectors = headVectors(headSize);
  return vectors <= 2 ? 2 : vectors <= 4 ? 4 : vectors <= 8 ? 8 : vectors <= 16 ? 16 : 32;
}

constexpr int decodeLaneVectors(int headSize) {
  return (headVectors(headSize) + decodeKeyLanes(headSize) - 1) / decodeKeyLanes(headSize);
}

/// Keys that are never divided among splits: those of a step of a block lie in one page.
constexpr int decodeSplitTokens(int headSize) {
  return headSize <= 128 ? 64 : 32;
}

/// Floats that a split of `heads` query heads leaves for the one that merges: sums, then {maximum, sum of weights} of
/// every head, in whole float4.
constexpr int decodePartialFloats(int heads, int headSize) {
  return heads * headSize + (heads + 1) / 2 * 4;
}

/// What a block keeps in shared memory: the sums of every group of lanes that shares a key, and the statistics and
/// weights of so many states or of all splits.
struct DecodeShared {
  int values;  ///< floats
  int stats;   ///< float2
  int weights; ///< floats
  int totals;  ///< float2

  constexpr int bytes() const { return 4 * values + 8 * stats + 4 * weights + 8 * totals; }
};

constexpr DecodeShared decodeShared(int heads, int headSize, int splits) {
  const int parts = kDecodeThreads / decodeKeyLanes(headSize), states = parts > splits ? parts : splits;
  return {parts * heads * headSize, states * heads, states * heads, heads};
}

// Prompt attention

constexpr int kPromptThreads = 128;
constexpr int kPromptRows = 64; ///< of a block; 16 of each warp

/// Columns of a head's y that a block makes, in whole vectors, and in whole blocks of int8 rows where heads are of
/// those. The y of a head above 184 does not fit the registers: two blocks share it, each with scores of its own, and
/// the second makes what is left; four share one above 256, whose keys leave less shared memory for values.
constexpr int promptColumns(int headSize) {
  if (headSize <= 184)
    return 8 * headVectors(headSize);
  const int unit = headSize % 32 == 0 ? 32 : 8;
  const int parts = headSize <= 256 ? 2 : 4;
  return (headSize / parts + unit - 1) / unit * unit;
}

constexpr int promptParts(int headSize) {
  return (headSize + promptColumns(headSize) - 1) / promptColumns(headSize);
}

/// Whether a warp keeps its queries in registers; else it reads them again for each tile of keys.
constexpr bool promptKeepsQueries(int headSize) {
  return headSize <= 256;
}

} // namespace llcuda
