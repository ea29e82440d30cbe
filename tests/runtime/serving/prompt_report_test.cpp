// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/prompt_report.h"

#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>

namespace llcuda::serving {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

constexpr uint32_t kTokens = 10, kRowBlock = 4;

/// A prompt of kTokens tokens, 100, 101, ..., and what was generated after it.
std::vector<int32_t> sequence(uint32_t count = kTokens) {
  std::vector<int32_t> tokens(count);
  std::iota(tokens.begin(), tokens.end(), 100);
  return tokens;
}

RequestOptions embedding(Pooling pooling) {
  RequestOptions options;
  options.task = Task::kEmbed;
  options.pooling = pooling;
  return options;
}

struct Asked {
  PromptReading reading;
  std::vector<int32_t> scored;
  RowRange pooled;
};

/// Of a part of `count` tokens from `first` on.
Asked ask(PromptReport& report, uint32_t first, uint32_t count, const std::vector<int32_t>& tokens = sequence()) {
  PromptPart part = {0, first, std::span(tokens).subspan(first, count)};
  Asked asked;
  std::vector<int32_t> room;
  asked.reading = report.ask(part, tokens, kRowBlock, room);
  asked.scored.assign(part.scored.begin(), part.scored.end());
  asked.pooled = part.pooled;
  return asked;
}

TEST(PromptReport, NothingIsRead) {
  PromptReport report({}, kTokens, Pooling::kMean);
  EXPECT_EQ(report.rows(), 0u);
  const Asked asked = ask(report, 0, 10);
  EXPECT_TRUE(asked.reading.isEmpty());
  EXPECT_EQ(asked.reading.blocks, 3u);
}

// Each row is scored with the token behind it; the last row of the prompt, and what was generated, are not.
TEST(PromptReport, ScoresOfParts) {
  RequestOptions options;
  options.promptLogprobs = 0;
  PromptReport report(options, kTokens, Pooling::kMean);
  EXPECT_EQ(report.rows(), 9u);
  Asked asked = ask(report, 0, 4);
  EXPECT_THAT(asked.scored, ElementsAre(101, 102, 103, 104));
  EXPECT_EQ(asked.reading.firstToken, 1u);
  EXPECT_FALSE(asked.reading.last);
  asked = ask(report, 4, 6);
  EXPECT_THAT(asked.scored, ElementsAre(105, 106, 107, 108, 109, -1));
  EXPECT_EQ(asked.reading.firstToken, 5u);
  EXPECT_EQ(asked.reading.scores, 5u);
  EXPECT_TRUE(asked.reading.last);
}

// What is computed again after a pause, perhaps with other cuts and with tokens of the answer, is asked for once.
TEST(PromptReport, RowsAreAskedForOnce) {
  RequestOptions options;
  options.promptLogprobs = 2;
  PromptReport report(options, kTokens, Pooling::kMean);
  ask(report, 0, 4);
  EXPECT_TRUE(ask(report, 0, 3).reading.isEmpty());
  const Asked asked = ask(report, 3, 4);
  EXPECT_THAT(asked.scored, ElementsAre(-1, 104 + 1, 106, 107));
  EXPECT_EQ(asked.reading.firstToken, 5u);
  ask(report, 7, 3);
  EXPECT_TRUE(ask(report, 0, 14, sequence(14)).reading.isEmpty());
}

TEST(PromptReport, RowsThatArePooled) {
  PromptReport mean(embedding(Pooling::kMean), kTokens, Pooling::kMean);
  Asked asked = ask(mean, 0, 6);
  EXPECT_EQ(asked.pooled.first, 0u);
  EXPECT_EQ(asked.pooled.count, 6u);
  EXPECT_FALSE(asked.reading.last);
  asked = ask(mean, 6, 4);
  EXPECT_EQ(asked.pooled.count, 4u);
  EXPECT_TRUE(asked.reading.last);
  PromptReport last(embedding(Pooling::kLast), kTokens, Pooling::kLast);
  EXPECT_TRUE(ask(last, 0, 6).reading.isEmpty());
  asked = ask(last, 6, 4);
  EXPECT_EQ(asked.pooled.first, 3u);
  EXPECT_EQ(asked.pooled.count, 1u);
  PromptReport first(embedding(Pooling::kCls), kTokens, Pooling::kCls);
  EXPECT_EQ(first.rows(), 1u);
  asked = ask(first, 0, 1);
  EXPECT_EQ(asked.pooled.count, 1u);
  EXPECT_TRUE(asked.reading.last);
}

// Sums of several blocks become a vector of length 1; one of zeros stays; one that is not finite is refused.
TEST(PromptReport, Vector) {
  PromptReport report(embedding(Pooling::kMean), kTokens, Pooling::kMean);
  report.addSums(std::vector<float>{1, 2, 2, 2}, 2);
  report.addSums(std::vector<float>{0, 0}, 2);
  EXPECT_THAT(*report.vector(), ElementsAre(FloatEq(0.6f), FloatEq(0.8f)));
  PromptReport zeros(embedding(Pooling::kMean), kTokens, Pooling::kMean);
  zeros.addSums(std::vector<float>{0, 0}, 2);
  EXPECT_THAT(*zeros.vector(), ElementsAre(0.f, 0.f));
  report.addSums(std::vector<float>{std::numeric_limits<float>::quiet_NaN(), 0}, 2);
  EXPECT_FALSE(report.vector().ok());
}

} // namespace
} // namespace llcuda::serving
