// SPDX-License-Identifier: Apache-2.0
// Several sequences at a time, measured as llama-batched-bench measures them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "llcuda/llcuda.hpp"
#include "runtime/base/result.h"
#include "runtime/engine/engine.h"

namespace llcuda::bench {

/// Every combination is one line.
struct BatchedGrid {
  std::vector<uint32_t> prompts = {128};
  std::vector<uint32_t> generates = {128};
  std::vector<uint32_t> sequences = {1};
  uint64_t cacheBytes = 0; ///< of the page pools; 0: what is free
};

/// The table as "md", "json" or "jsonl", with llama-batched-bench's columns: each sequence has a prompt of its own,
/// several share a run of a prompt phase, then all sequences decode together.
Result<std::string> batchedTable(const std::string& path, Verify verify, const api::SessionOptions& options,
                                 const BatchedGrid& grid, const std::string& format);

} // namespace llcuda::bench
