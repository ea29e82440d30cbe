// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace llcuda {

/// One run of a prompt phase.
struct PromptChunk {
  uint32_t phase;  ///< index into the rows handed in
  uint32_t tokens; ///< 1 ... rows of that phase; the rows after them are padding
};

/// Cuts a prompt of `tokens` tokens into runs of the prompt phases, whose row counts are `rows`. The largest phase that
/// is filled comes first; what is left goes into the smallest phase that holds all of it, once that is at least half
/// filled or no smaller one can be filled.
std::vector<PromptChunk> promptChunks(std::span<const uint32_t> rows, uint32_t tokens);

} // namespace llcuda
