// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/log_probabilities.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace llcuda {
namespace {

TEST(LogProbabilities, AreThoseOfTheSoftmax) {
  const float logits[] = {1.f, 3.f, 2.f, 3.f};
  const auto probabilities = LogProbabilities::of(logits);
  ASSERT_TRUE(probabilities.ok());
  const double sum = std::exp(1.) + 2 * std::exp(3.) + std::exp(2.);
  EXPECT_NEAR((*probabilities)[2], 2 - std::log(sum), 1e-6);
  const std::vector<Candidate> top = probabilities->top(3);
  ASSERT_EQ(top.size(), 3u);
  EXPECT_EQ(top[0].token, 1); // of two equals the lower id
  EXPECT_EQ(top[1].token, 3);
  EXPECT_EQ(top[2].token, 2);
  EXPECT_EQ(probabilities->top(9).size(), 4u);
  EXPECT_TRUE(probabilities->top(0).empty());
}

// Large logits would overflow a plain exponential.
TEST(LogProbabilities, LargeLogits) {
  const float logits[] = {1e4f, 1e4f};
  EXPECT_NEAR((*LogProbabilities::of(logits))[0], -std::log(2.), 1e-6);
}

TEST(LogProbabilities, BrokenLogitsAreAnError) {
  for (float broken : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const float logits[] = {0.f, broken};
    const auto probabilities = LogProbabilities::of(logits);
    ASSERT_FALSE(probabilities.ok());
    EXPECT_EQ(probabilities.error().message, "the logit of token 1 is not finite");
  }
}

// What the device made is handed on as it is; a broken row is the same error as that of its logits.
TEST(ScoredToken, OfAScore) {
  TokenScore score = {7, -1, -2.5f, 3.f, {}, {}};
  for (int rank = 0; rank < kTopTokens; ++rank) {
    score.topTokens[rank] = rank < 3 ? 10 + rank : -1; // of a small vocabulary
    score.topLogProbabilities[rank] = -static_cast<float>(rank);
  }
  const auto two = ScoredToken::of(score, 2), all = ScoredToken::of(score, kTopTokens);
  ASSERT_TRUE(two.ok() && all.ok());
  EXPECT_EQ(two->logProbability, -2.5f);
  ASSERT_EQ(two->top.size(), 2u);
  EXPECT_EQ(two->top[1].token, 11);
  EXPECT_EQ(two->top[1].logProbability, -1.f);
  EXPECT_EQ(all->top.size(), 3u);
  score.broken = 4;
  EXPECT_EQ(ScoredToken::of(score, 2).error().message, "the logit of token 4 is not finite");
}

} // namespace
} // namespace llcuda
