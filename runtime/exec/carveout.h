// SPDX-License-Identifier: Apache-2.0
// How a multiprocessor divides its memory into shared memory and L1 cache while a kernel runs.
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/cuda/cuda_abi.h"

namespace llcuda {

/// CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT: a hint, in per cent of the most shared memory that there can be.
inline constexpr auto kPreferredCarveout = static_cast<cuda::CUfunction_attribute>(9);

/// What a kernel's blocks take of a multiprocessor.
struct BlockDemand {
  uint32_t threads = 32;
  uint32_t registers = 0; ///< of a thread; 0: not known
  uint32_t sharedBytes = 0;
};

/// The share that as many blocks use as threads and registers leave room for on a T4: 0 where they use none, and the L1
/// cache gets what they leave. A larger multiprocessor has more shared memory before it has more threads: there it is
/// enough too.
constexpr uint32_t carveoutPercent(const BlockDemand& block) {
  constexpr uint32_t kThreads = 1024, kRegisters = 64 << 10, kSharedBytes = 64 << 10, kBlocks = 16;
  const uint32_t warps = (block.threads + 31) / 32;
  const uint32_t ofWarp = (block.registers * 32 + 255) / 256 * 256; // registers are given out by 256
  uint32_t blocks = std::min(kBlocks, kThreads / (warps * 32));
  if (ofWarp != 0)
    blocks = std::min(blocks, kRegisters / (ofWarp * warps));
  const uint64_t bytes = uint64_t{std::max(blocks, 1u)} * block.sharedBytes;
  return static_cast<uint32_t>(std::min<uint64_t>((100 * bytes + kSharedBytes - 1) / kSharedBytes, 100));
}

} // namespace llcuda
