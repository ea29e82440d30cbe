// SPDX-License-Identifier: Apache-2.0
// Launch of rope_cache: rotates the queries and keys of a prompt chunk and writes keys and values into their pages.
#pragma once

#include "codegen/spec/kernel_spec.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

struct RopeCacheDesc {
  uint32_t rows = 1;
  uint32_t heads = 1;
  uint32_t kvHeads = 1;
  uint32_t headSize = 64;   ///< a multiple of 16 up to 256
  uint32_t dimensions = 64; ///< of a head that rotate, in adjacent pairs from the first; even; 0: none, no rope_table
  uint32_t maxContext = 0;
  uint32_t pageTokens = 64; ///< only 64 has kernels
};

/// Names what the kernel cannot do. The launch takes only what this lets pass.
Result<void> checkRopeCache(const RopeCacheDesc& desc);

///   q             const float*    [rows][heads][headSize]
///   k             const float*    [rows][kvHeads][headSize]
///   v             const float*    [rows][kvHeads][headSize]
///   rope_table    const float2*   [maxContext][dimensions / 2]: cos, sin
///   positions     const int*      [rows]; -1: the row of q_rotated becomes zeros and no page is written
///   slots         const int*      [rows]
///   block_table   const int*      [slots][ceil(maxContext / 64)]
///   q_rotated     Half*           [rows][heads][headSize]
///   k_pages       Half*           [page][kvHeads][64][headSize]
///   v_pages       Half*           the same
LaunchSpec ropeCacheLaunch(const RopeCacheDesc& desc);

} // namespace llcuda::codegen
