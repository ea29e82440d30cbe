// SPDX-License-Identifier: Apache-2.0
// How prompts are cut into runs of the prompt phases.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace llcuda {

/// What a prompt phase takes.
struct PromptShape {
  uint32_t rows;
  uint32_t rowBlock;   ///< a sequence begins at a multiple of this
  uint32_t outputs;    ///< sequences whose next token a run can say
  uint32_t scores = 0; ///< rows that one run of the tail that scores takes
  bool whole = false;  ///< a prompt is never cut: it is in one run from its first token to its last

  uint32_t sequences() const { return std::min((rows + rowBlock - 1) / rowBlock, outputs); }
};

/// A piece of a prompt in a run.
struct PromptPiece {
  uint32_t prompt; ///< index of those handed in
  uint32_t first;  ///< of its tokens
  uint32_t tokens; ///< at least 1
};

/// One run of a prompt phase.
struct PromptRun {
  uint32_t phase; ///< index of those handed in
  std::vector<PromptPiece> pieces;
};

/// Cuts prompts of `lengths` tokens, at least one each, into runs. Prompts come in their order, each finished before a
/// later one is cut; as many as fit share a run. The largest phase that is filled comes first; what is left goes into
/// the smallest phase that holds all of it, once that has no more than 32 rows, is at least half filled, or no smaller
/// one can be filled. Phases that take whole prompts are the smallest that holds all that are left, else the one of
/// which most rows are filled; a prompt that none of them holds is not handed in.
std::vector<PromptRun> promptRuns(std::span<const PromptShape> phases, std::span<const uint32_t> lengths);
/// The first of these runs.
PromptRun firstPromptRun(std::span<const PromptShape> phases, std::span<const uint32_t> lengths);

} // namespace llcuda
