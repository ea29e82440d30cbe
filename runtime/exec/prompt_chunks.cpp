// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/prompt_chunks.h"

#include <cassert>

namespace llcuda {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

/// Index of the phase with the most rows of those with at most `limit`; kNone when there is none.
uint32_t largestUpTo(std::span<const uint32_t> rows, uint32_t limit) {
  uint32_t best = kNone;
  for (uint32_t i = 0; i < rows.size(); ++i)
    if (rows[i] <= limit && (best == kNone || rows[i] > rows[best]))
      best = i;
  return best;
}

/// Index of the phase with the fewest rows of those with at least `count`; kNone when there is none.
uint32_t smallestFrom(std::span<const uint32_t> rows, uint32_t count) {
  uint32_t best = kNone;
  for (uint32_t i = 0; i < rows.size(); ++i)
    if (rows[i] >= count && (best == kNone || rows[i] < rows[best]))
      best = i;
  return best;
}

} // namespace

std::vector<PromptChunk> promptChunks(std::span<const uint32_t> rows, uint32_t tokens) {
  assert(!rows.empty());
  std::vector<PromptChunk> chunks;
  while (tokens != 0) {
    const uint32_t filled = largestUpTo(rows, tokens);
    const uint32_t holding = smallestFrom(rows, tokens);
    const bool padded = filled == kNone || (holding != kNone && uint64_t{2} * tokens >= rows[holding]);
    const PromptChunk chunk = padded ? PromptChunk{holding, tokens} : PromptChunk{filled, rows[filled]};
    chunks.push_back(chunk);
    tokens -= chunk.tokens;
  }
  return chunks;
}

} // namespace llcuda
