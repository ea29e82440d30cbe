// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/prompt_chunks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda {

bool operator==(const PromptChunk& a, const PromptChunk& b) {
  return a.phase == b.phase && a.tokens == b.tokens;
}

namespace {

using testing::ElementsAre;

const uint32_t kRows[] = {32, 512, 128};

TEST(PromptChunks, LargestFilledFirst) {
  EXPECT_THAT(promptChunks(kRows, 512), ElementsAre(PromptChunk{1, 512}));
  EXPECT_THAT(promptChunks(kRows, 1024 + 128),
              ElementsAre(PromptChunk{1, 512}, PromptChunk{1, 512}, PromptChunk{2, 128}));
}

TEST(PromptChunks, TheRestIsPaddedWhenHalfFilled) {
  EXPECT_THAT(promptChunks(kRows, 500), ElementsAre(PromptChunk{1, 500}));
  EXPECT_THAT(promptChunks(kRows, 129), ElementsAre(PromptChunk{2, 128}, PromptChunk{0, 1}));
  EXPECT_THAT(promptChunks(kRows, 1), ElementsAre(PromptChunk{0, 1}));
  EXPECT_THAT(promptChunks(kRows, 40), ElementsAre(PromptChunk{0, 32}, PromptChunk{0, 8}));
}

TEST(PromptChunks, EveryLengthIsCoveredOnce) {
  for (uint32_t tokens = 0; tokens < 2000; ++tokens) {
    uint32_t sum = 0;
    for (const PromptChunk& chunk : promptChunks(kRows, tokens)) {
      EXPECT_GE(chunk.tokens, 1u);
      EXPECT_LE(chunk.tokens, kRows[chunk.phase]);
      sum += chunk.tokens;
    }
    EXPECT_EQ(sum, tokens);
  }
}

} // namespace
} // namespace llcuda
