// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/prompt_runs.h"

#include <numeric>
#include <random>

#include <gmock/gmock.h>

namespace llcuda {

bool operator==(const PromptPiece& a, const PromptPiece& b) {
  return a.prompt == b.prompt && a.first == b.first && a.tokens == b.tokens;
}
bool operator==(const PromptRun& a, const PromptRun& b) {
  return a.phase == b.phase && a.pieces == b.pieces;
}

namespace {

using testing::ElementsAre;

const PromptShape kPhases[] = {{32, 32, 1}, {512, 64, 8}, {128, 64, 2}};
/// With one whose rows may each be of another sequence.
const PromptShape kWithFewRows[] = {{8, 1, 8}, {32, 32, 1}, {128, 64, 2}};

/// The runs of one prompt, as phase and tokens.
std::vector<std::pair<uint32_t, uint32_t>> alone(uint32_t tokens, std::span<const PromptShape> phases = kPhases) {
  std::vector<std::pair<uint32_t, uint32_t>> list;
  for (const PromptRun& run : promptRuns(phases, {&tokens, 1})) list.emplace_back(run.phase, run.pieces[0].tokens);
  return list;
}

TEST(PromptRuns, LargestFilledFirst) {
  EXPECT_THAT(alone(512), ElementsAre(std::pair(1, 512)));
  EXPECT_THAT(alone(1024 + 128), ElementsAre(std::pair(1, 512), std::pair(1, 512), std::pair(2, 128)));
}

TEST(PromptRuns, TheRestIsPaddedWhenHalfFilled) {
  EXPECT_THAT(alone(500), ElementsAre(std::pair(1, 500)));
  EXPECT_THAT(alone(129), ElementsAre(std::pair(2, 128), std::pair(0, 1)));
  EXPECT_THAT(alone(1), ElementsAre(std::pair(0, 1)));
  EXPECT_THAT(alone(40), ElementsAre(std::pair(0, 32), std::pair(0, 8)));
}

// The last block of a phase is partly empty: nobody else could be there, so the phase is filled.
TEST(PromptRuns, PaddingOfTheLastBlockIsFilled) {
  const uint32_t lengths[] = {500, 300};
  const std::vector<PromptRun> runs = promptRuns(kPhases, lengths);
  ASSERT_GE(runs.size(), 1u);
  EXPECT_EQ(runs[0].phase, 1u);
  EXPECT_EQ(runs[0].pieces[0].tokens, 500u);
}

// A short prompt takes the phase of few rows, a longer one the next at once, however little of it is filled.
TEST(PromptRuns, ShortPromptsTakeFewRows) {
  EXPECT_THAT(alone(1, kWithFewRows), ElementsAre(std::pair(0, 1)));
  EXPECT_THAT(alone(8, kWithFewRows), ElementsAre(std::pair(0, 8)));
  EXPECT_THAT(alone(9, kWithFewRows), ElementsAre(std::pair(1, 9)));
  EXPECT_THAT(alone(130, kWithFewRows), ElementsAre(std::pair(2, 128), std::pair(0, 2)));
  EXPECT_THAT(promptRuns(kWithFewRows, std::vector<uint32_t>{3, 1, 4}),
              ElementsAre(PromptRun{0, {{0, 0, 3}, {1, 0, 1}, {2, 0, 4}}}));
}

// Each prompt begins at a block of its own; the one that does not fit goes on in the next run.
TEST(PromptRuns, PromptsShareARun) {
  EXPECT_THAT(
      promptRuns(kPhases, std::vector<uint32_t>(8, 40)),
      ElementsAre(PromptRun{
          1, {{0, 0, 40}, {1, 0, 40}, {2, 0, 40}, {3, 0, 40}, {4, 0, 40}, {5, 0, 40}, {6, 0, 40}, {7, 0, 40}}}));
  EXPECT_THAT(promptRuns(kPhases, std::vector<uint32_t>{65, 300, 200}),
              ElementsAre(PromptRun{1, {{0, 0, 65}, {1, 0, 300}, {2, 0, 64}}}, PromptRun{2, {{2, 64, 128}}},
                          PromptRun{0, {{2, 192, 8}}}));
}

// A run says the next tokens of so many sequences and no more, wherever rows are left.
TEST(PromptRuns, NoMoreThanItsOutputs) {
  const PromptShape narrow[] = {{512, 64, 2}};
  EXPECT_THAT(promptRuns(narrow, std::vector<uint32_t>{10, 20, 30}),
              ElementsAre(PromptRun{0, {{0, 0, 10}, {1, 0, 20}}}, PromptRun{0, {{2, 0, 30}}}));
}

// Whatever comes, every token is in one run, in order, and no run holds more than its phase.
TEST(PromptRuns, EveryTokenOnce) {
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::vector<uint32_t> lengths(1 + random() % 12);
    for (uint32_t& length : lengths) length = 1 + random() % (round % 2 ? 90 : 900);
    std::vector<uint32_t> done(lengths.size());
    EXPECT_EQ(firstPromptRun(kPhases, lengths), promptRuns(kPhases, lengths).front());
    for (const PromptRun& run : promptRuns(kPhases, lengths)) {
      const PromptShape& phase = kPhases[run.phase];
      uint32_t row = 0;
      for (const PromptPiece& piece : run.pieces) {
        ASSERT_EQ(piece.first, done[piece.prompt]);
        ASSERT_GE(piece.tokens, 1u);
        ASSERT_LE(row + piece.tokens, phase.rows);
        row += (piece.tokens + phase.rowBlock - 1) / phase.rowBlock * phase.rowBlock;
        done[piece.prompt] += piece.tokens;
      }
      ASSERT_LE(run.pieces.size(), phase.outputs);
    }
    ASSERT_EQ(done, lengths);
  }
}

// Of phases that take whole prompts none is cut: the smallest that holds all, else the one that is fullest.
TEST(PromptRuns, WholePrompts) {
  const PromptShape kWhole[] = {{64, 64, 1, 0, true}, {256, 64, 4, 0, true}, {1024, 64, 16, 0, true}};
  EXPECT_THAT(alone(1, kWhole), ElementsAre(std::pair(0, 1)));
  EXPECT_THAT(alone(65, kWhole), ElementsAre(std::pair(1, 65)));
  EXPECT_THAT(alone(1024, kWhole), ElementsAre(std::pair(2, 1024)));
  // The short one alone, since the long one leaves no room for it.
  EXPECT_THAT(promptRuns(kWhole, std::vector<uint32_t>{10, 1000}),
              ElementsAre(PromptRun{0, {{0, 0, 10}}}, PromptRun{2, {{1, 0, 1000}}}));
  EXPECT_THAT(promptRuns(kWhole, std::vector<uint32_t>{100, 30, 64}),
              ElementsAre(PromptRun{1, {{0, 0, 100}, {1, 0, 30}, {2, 0, 64}}}));
}

// Every prompt comes once, whole, in a phase that has its rows.
TEST(PromptRuns, WholePromptsOfAnyLengths) {
  const PromptShape kWhole[] = {{64, 64, 1, 0, true}, {256, 64, 4, 0, true}, {512, 64, 8, 0, true}};
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<uint32_t> lengths(1 + random() % 9);
    for (uint32_t& length : lengths) length = 1 + random() % 512;
    uint32_t next = 0;
    for (const PromptRun& run : promptRuns(kWhole, lengths)) {
      uint32_t rows = 0;
      for (const PromptPiece& piece : run.pieces) {
        ASSERT_EQ(piece, (PromptPiece{next, 0, lengths[next]}));
        rows += (lengths[next++] + 63) / 64 * 64;
      }
      ASSERT_LE(rows, kWhole[run.phase].rows);
    }
    ASSERT_EQ(next, lengths.size());
  }
}

} // namespace
} // namespace llcuda
