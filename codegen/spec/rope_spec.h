// SPDX-License-Identifier: Apache-2.0
// Launches between the linears of queries, keys and values and attention: norms of heads, rotations, the cache write.
#pragma once

#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/kv_cache.h"
#include "codegen/spec/row_view.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

/// What happens to each head of queries and keys.
struct HeadTurnDesc {
  uint32_t dimensions = 0; ///< of a head that rotate, from the first on; even; 0: none, no rope_table
  bool halves = false;     ///< element i turns with i + dimensions / 2, not 2i with 2i + 1
  bool norm = false;       ///< each head by itself, before it rotates
  float eps = 0;           ///< of the norm
};

struct HeadRowsDesc {
  uint32_t rows = 1;
  uint32_t heads = 1;
  uint32_t headSize = 64; ///< a multiple of 4 up to 512
  HeadTurnDesc turn;
  bool f16Rows = false; ///< emits Half rows, else f32 rows
};

/// head_rows: heads normed, rotated, rounded to f16, or only some of that.
///   x             const float*    [rows][heads][headSize]
///   scale         const float*    [headSize]; only with norm
///   rope_table    const float2*   [positions][dimensions / 2]: cos, sin; only with dimensions
///   positions     const int*      [rows]; only with dimensions; what a row of -1 becomes is not used
///   y             float* or Half* [rows][heads][headSize]
LaunchSpec headRowsLaunch(const HeadRowsDesc& desc);

/// Names what the kernel cannot do. The launch takes only what this lets pass.
Result<void> checkHeadRows(const HeadRowsDesc& desc);

struct RopeCacheDesc {
  uint32_t rows = 1;
  uint32_t heads = 1; ///< 0: only keys and values
  uint32_t kvHeads = 1;
  uint32_t headSize = 64; ///< a multiple of 4 up to 512
  HeadTurnDesc turn;
  bool f16Queries = true; ///< for attention_prompt; else f32 for attention_decode
  KvCacheDesc cache;
  RowView queries;        ///< where they lie, in whole heads
  bool valueNorm = false; ///< values are normed too; only with turn.norm
};

/// Names what the kernel cannot do. The launch takes only what this lets pass.
Result<void> checkRopeCache(const RopeCacheDesc& desc);

/// rope_cache: head_rows of queries and keys; keys and values go to their pages.
///   q             const float*    [rows][heads][headSize], or what it is a view of; only with heads
///   k             const float*    [rows][kvHeads][headSize]
///   v             const float*    [rows][kvHeads][headSize]
///   q_scale       const float*    [headSize]; only with heads and norm
///   k_scale       const float*    [headSize]; only with norm
///   rope_table    const float2*   [maxContext][dimensions / 2]: cos, sin; only with dimensions
///   positions     const int*      [rows]; -1: the row of q_turned becomes zeros and no page is written
///   slots         const int*      [rows]
///   block_table   const int*      [slots][ceil(maxContext / 64)]; a page of -1 is not written
///   q_turned      Half* or float* [rows][heads][headSize]; only with heads
///   k_pages       uint8_t*        [page][kvHeads], as codegen/formats/kv_type.h says
///   v_pages       uint8_t*        the same
///   v_scale       const float*    [headSize]; only with valueNorm
LaunchSpec ropeCacheLaunch(const RopeCacheDesc& desc);

} // namespace llcuda::codegen
