// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/prompt_runs.h"

#include <algorithm>
#include <cassert>

namespace llcuda {
namespace {

constexpr uint32_t kNone = UINT32_MAX;
/// A phase of so few rows takes about as long as its weights take to be read, whatever it is filled with: one is faster
/// than two of fewer rows.
constexpr uint32_t kFewRows = 32;

/// What is left of the prompts, from the first unfinished one on.
struct Rest {
  std::span<const uint32_t> lengths;
  uint32_t prompt = 0; ///< the first unfinished one
  uint32_t done = 0;   ///< of its tokens

  bool isEmpty() const { return prompt == lengths.size(); }
  bool isAlone() const { return prompt + 1 == lengths.size(); }
  uint32_t tokensOf(uint32_t index) const { return lengths[index] - (index == prompt ? done : 0); }

  /// The next pieces that a run of the phase holds.
  std::vector<PromptPiece> piecesFor(const PromptShape& phase) const {
    std::vector<PromptPiece> pieces;
    uint32_t row = 0;
    for (uint32_t i = prompt; i < lengths.size() && row < phase.rows && pieces.size() < phase.sequences(); ++i) {
      const uint32_t tokens = std::min(tokensOf(i), phase.rows - row);
      if (phase.whole && tokens < tokensOf(i))
        break;
      pieces.push_back({i, lengths[i] - tokensOf(i), tokens});
      row += (tokens + phase.rowBlock - 1) / phase.rowBlock * phase.rowBlock;
    }
    return pieces;
  }

  void take(const std::vector<PromptPiece>& pieces) {
    const PromptPiece& last = pieces.back();
    prompt = last.prompt;
    done = last.first + last.tokens;
    if (done == lengths[prompt])
      ++prompt, done = 0;
  }
};

/// Rows that the pieces take in a phase, padding between sequences included.
uint32_t rowsOf(const std::vector<PromptPiece>& pieces, const PromptShape& phase) {
  uint32_t rows = 0;
  for (size_t i = 0; i + 1 < pieces.size(); ++i)
    rows += (pieces[i].tokens + phase.rowBlock - 1) / phase.rowBlock * phase.rowBlock;
  return rows + pieces.back().tokens;
}

/// Whether the pieces are all that is left.
bool isAll(const std::vector<PromptPiece>& pieces, const Rest& rest) {
  Rest after = rest;
  after.take(pieces);
  return after.isEmpty();
}

/// The phase of the next run, of those that take whole prompts.
uint32_t nextWholePhase(std::span<const PromptShape> phases, const Rest& rest) {
  uint32_t holding = kNone, fullest = kNone;
  double best = 0;
  for (uint32_t i = 0; i < phases.size(); ++i) {
    const std::vector<PromptPiece> pieces = rest.piecesFor(phases[i]);
    if (pieces.empty())
      continue;
    if (isAll(pieces, rest) && (holding == kNone || phases[i].rows < phases[holding].rows))
      holding = i;
    const double filled = static_cast<double>(rowsOf(pieces, phases[i])) / phases[i].rows;
    if (fullest == kNone || filled > best || (filled == best && phases[i].rows > phases[fullest].rows))
      fullest = i, best = filled;
  }
  assert((holding != kNone || fullest != kNone) && "a prompt is longer than every phase");
  return holding != kNone ? holding : fullest;
}

/// The phase of the next run.
uint32_t nextPhase(std::span<const PromptShape> phases, const Rest& rest) {
  uint32_t filled = kNone, holding = kNone, widest = 0;
  for (uint32_t i = 0; i < phases.size(); ++i) {
    const std::vector<PromptPiece> pieces = rest.piecesFor(phases[i]);
    const uint32_t rows = rowsOf(pieces, phases[i]);
    // Padding behind the last piece counts as filled where nobody could go on there.
    const uint32_t block = phases[i].rowBlock, padded = (rows + block - 1) / block * block;
    const bool isFilled =
        rows == phases[i].rows ||
        (!isAll(pieces, rest) && (pieces.size() == phases[i].sequences() || padded >= phases[i].rows));
    if (isFilled && (filled == kNone || phases[i].rows > phases[filled].rows))
      filled = i;
    if (isAll(pieces, rest) && (holding == kNone || phases[i].rows < phases[holding].rows))
      holding = i;
    if (phases[i].rows > phases[widest].rows)
      widest = i;
  }
  if (holding != kNone && (filled == kNone || phases[holding].rows <= kFewRows ||
                           2 * rowsOf(rest.piecesFor(phases[holding]), phases[holding]) >= phases[holding].rows))
    return holding;
  return filled != kNone ? filled : widest;
}

PromptRun nextRun(std::span<const PromptShape> phases, const Rest& rest) {
  const uint32_t phase = phases.front().whole ? nextWholePhase(phases, rest) : nextPhase(phases, rest);
  return {phase, rest.piecesFor(phases[phase])};
}

} // namespace

std::vector<PromptRun> promptRuns(std::span<const PromptShape> phases, std::span<const uint32_t> lengths) {
  assert(!phases.empty() && std::ranges::none_of(lengths, [](uint32_t tokens) { return tokens == 0; }));
  std::vector<PromptRun> runs;
  for (Rest rest{lengths}; !rest.isEmpty(); rest.take(runs.back().pieces)) runs.push_back(nextRun(phases, rest));
  return runs;
}

PromptRun firstPromptRun(std::span<const PromptShape> phases, std::span<const uint32_t> lengths) {
  assert(!phases.empty() && !lengths.empty());
  return nextRun(phases, Rest{lengths});
}

} // namespace llcuda
