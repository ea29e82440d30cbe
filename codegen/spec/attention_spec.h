// SPDX-License-Identifier: Apache-2.0
// Launches of attention over paged keys and values: one row per sequence (decode), or a chunk of rows of one sequence
// (prompt).
#pragma once

#include "codegen/formats/int8_rows.h"
#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/kv_cache.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

struct AttentionDesc {
  uint32_t rows = 1; ///< of the phase
  uint32_t heads = 1;
  uint32_t kvHeads = 1;   ///< divides heads
  uint32_t headSize = 64; ///< a multiple of 4 up to 512; of 32 for int8 rows
  KvCacheDesc cache;
  float scale = 0;                  ///< of the scores: usually 1 / sqrt(headSize)
  uint32_t window = 0;              ///< keys a row sees, its own included; 0: all. Both ways: those at most half of it
                                    ///< from its own
  float softcap = 0;                ///< cap * tanh(score / cap); 0: none
  bool bothWays = false;            ///< a row sees keys before and behind it: attention_prompt alone
  bool sinks = false;               ///< the softmax of a head has one more score, of a key without a value
  bool f32Rows = false;             ///< emits y
  bool int8Rows = true;             ///< emits y_codes and y_scales
  RowOrder order = RowOrder::kRows; ///< of int8 rows of attention_decode; attention_prompt makes fragments
};

/// Names what the kernels cannot do. The launches below take only what this lets pass.
Result<void> checkAttention(const AttentionDesc& desc);

/// attention_decode: row r is the newest token of slot slots[r], its key and value are in the cache already.
///   q             const float*    [rows][heads][headSize], rotated
///   k_pages       const uint8_t*  [page][kvHeads], as codegen/formats/kv_type.h says
///   v_pages       const uint8_t*  the same
///   positions     const int*      [rows]; -1: the row becomes zeros and nothing else is read
///   slots         const int*      [rows]
///   block_table   const int*      [slots][ceil(maxContext / 64)]
///   sinks         const float*    [heads]; only with sinks
///   partial       float*          workspace of attentionPartialBytes(); only when attentionSplits() > 1
///   arrivals      uint32_t*       counter of attentionArrivals() words; only when attentionSplits() > 1
///   y             float*          [rows][heads][headSize]; only with f32Rows
///   y_codes       int8_t*         int8 rows of heads * headSize columns; only with int8Rows
///   y_scales      float2*         the same; only with int8Rows
LaunchSpec attentionDecodeLaunch(const AttentionDesc& desc);

/// Blocks that share the context of one kv head of one row, so that a long context fills the machine. The same for 1 to
/// kMaxDecodeRows rows.
uint32_t attentionSplits(const AttentionDesc& desc);
uint64_t attentionPartialBytes(const AttentionDesc& desc);
uint32_t attentionArrivals(const AttentionDesc& desc);

/// attention_prompt: rows of one sequence in any order; keys and values of all of them are in the cache already.
///   q             const Half*     [rows][heads][headSize], rotated
///   k_pages, v_pages, positions, slots, block_table, sinks, y, y_codes, y_scales as above
///   text_lengths  const int*      [slots]: positions that each text has; only with bothWays
LaunchSpec attentionPromptLaunch(const AttentionDesc& desc);

} // namespace llcuda::codegen
