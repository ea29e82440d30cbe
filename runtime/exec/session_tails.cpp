// SPDX-License-Identifier: Apache-2.0
// What the parts of a prompt ask for beside a token: scores of given tokens, and sums of rows.
#include <algorithm>

#include "runtime/exec/session.h"
#include "runtime/schema/phase_facts.h"

namespace llcuda {

StepTails Session::tailsOf(const fb::Phase& phase, std::span<const PromptPart> parts, const StepReads& reads) {
  StepTails tails;
  std::size_t scored = 0;
  for (const PromptPart& part : parts) {
    tails.sample |= part.sampling != nullptr;
    tails.pool |= part.pooled.count != 0;
    scored += part.scored.size() - static_cast<std::size_t>(std::ranges::count(part.scored, -1));
  }
  const uint32_t each = outputsOf(phase, fb::TailKind::score);
  tails.scoreRuns = scored == 0 ? 0 : (static_cast<uint32_t>(scored) + each - 1) / each;
  tails.report = tails.sample && reads.scores;
  return tails;
}

Result<void> Session::readScores(const PhaseIo& io, std::span<const PromptPart> parts) {
  std::vector<int32_t> scoredRows, tokens;
  uint32_t row = 0;
  for (const PromptPart& part : parts) {
    for (uint32_t i = 0; i < part.scored.size(); ++i)
      if (part.scored[i] >= 0)
        scoredRows.push_back(static_cast<int32_t>(row + i)), tokens.push_back(part.scored[i]);
    row += part.blocks(io.phase->row_block()) * io.phase->row_block();
  }
  const uint32_t most = outputsOf(*io.phase, fb::TailKind::score);
  const auto wanted = static_cast<uint32_t>(tokens.size());
  scoredRows.resize(scoredRows.size() + most, -1), tokens.resize(tokens.size() + most, -1);
  for (uint32_t first = 0; first < wanted; first += most) {
    const uint32_t count = std::min(most, wanted - first);
    const Upload uploads[] = {
        {address(io, fb::IoRole::score_rows), std::as_bytes(std::span(scoredRows).subspan(first, most))},
        {address(io, fb::IoRole::score_tokens), std::as_bytes(std::span(tokens).subspan(first, most))}};
    LLCUDA_RETURN_IF_ERROR(staging.upload(stream, uploads));
    LLCUDA_RETURN_IF_ERROR(launch(io, launchesOf(*io.phase, fb::TailKind::score), {count, count, 0}));
    LLCUDA_RETURN_IF_ERROR(ring->copyPromptScores(stream, count, address(io, fb::IoRole::scores)));
  }
  return {};
}

Result<void> Session::readPooled(const PhaseIo& io, std::span<const PromptPart> parts, const StepRows& step) {
  const uint32_t rowBlock = io.phase->row_block();
  std::vector<RowRange> ranges;
  for (const PromptPart& part : parts) {
    const auto firstRow = static_cast<uint32_t>(ranges.size()) * rowBlock;
    const uint32_t pooledEnd = part.pooled.first + part.pooled.count;
    for (uint32_t block = 0; block < part.blocks(rowBlock); ++block) {
      const uint32_t first = std::max(part.pooled.first, block * rowBlock);
      const uint32_t end = std::min(pooledEnd, (block + 1) * rowBlock);
      ranges.push_back(first < end ? RowRange{firstRow + first, end - first} : RowRange{});
    }
  }
  const auto blocks = static_cast<uint32_t>(ranges.size());
  ranges.resize(rowBlocks(*io.phase));
  const Upload upload = {address(io, fb::IoRole::pool_rows), std::as_bytes(std::span(ranges))};
  LLCUDA_RETURN_IF_ERROR(staging.upload(stream, {&upload, 1}));
  LLCUDA_RETURN_IF_ERROR(launch(io, launchesOf(*io.phase, fb::TailKind::pool), step));
  return ring->copyPooled(stream, blocks, address(io, fb::IoRole::pooled));
}

} // namespace llcuda
