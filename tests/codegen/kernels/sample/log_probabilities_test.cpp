// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/sample/log_probabilities.cuh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "codegen/reference/log_softmax.h"
#include "runtime/hostsim/launch.h"

namespace llcuda {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int kUntouched = -77;

std::vector<float> randomLogits(size_t count, float spread, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.f, spread);
  std::vector<float> values(count);
  for (float& v : values) v = normal(generator);
  return values;
}

/// Scores of `tokens`, one a row.
template <int kVocabulary, int kBlocks>
std::vector<TokenScore> scoresOf(const std::vector<float>& logits, const std::vector<int>& tokens) {
  const size_t rows = tokens.size();
  TokenScore untouched = {};
  untouched.token = untouched.broken = kUntouched;
  std::vector<TokenScore> scores(rows, untouched);
  std::vector<ScoreShare> partial(rows * kBlocks);
  std::vector<uint32_t> arrivals(rows, 0);
  hostsim::launch({.grid = {kBlocks, static_cast<uint32_t>(rows)}, .block = kScoreThreads}, [&] {
    logProbabilities<ScoreShape{.vocabulary = kVocabulary, .blocks = kBlocks}>(
        logits.data(), tokens.data(), partial.data(), arrivals.data(), scores.data());
  });
  EXPECT_EQ(arrivals, std::vector<uint32_t>(rows, 0)) << "counters must return to zero";
  return scores;
}

void expectReference(const TokenScore& score, const float* row, size_t vocabulary, int token) {
  std::vector<double> expected(vocabulary);
  reference::logSoftmax(row, vocabulary, expected.data());
  const size_t most = std::min<size_t>(kTopTokens, vocabulary);
  const std::vector<int32_t> top = reference::topK(row, vocabulary, most);
  EXPECT_EQ(score.token, token);
  EXPECT_EQ(score.broken, -1);
  EXPECT_NEAR(score.logProbability, expected[token], 1e-5);
  EXPECT_NEAR(score.logSum, reference::logSumExp(row, vocabulary), 1e-5);
  for (size_t rank = 0; rank < kTopTokens; ++rank) {
    ASSERT_EQ(score.topTokens[rank], rank < most ? top[rank] : -1) << "rank " << rank;
    if (rank >= most)
      continue;
    ASSERT_NEAR(score.topLogProbabilities[rank], expected[top[rank]], 1e-5) << "rank " << rank;
    if (top[rank] == token) {
      EXPECT_EQ(score.topLogProbabilities[rank], score.logProbability) << "one token has two floats";
    }
  }
}

template <int kVocabulary, int kBlocks>
void expectReference(const std::vector<float>& logits, const std::vector<int>& tokens) {
  const std::vector<TokenScore> scores = scoresOf<kVocabulary, kBlocks>(logits, tokens);
  for (size_t row = 0; row < tokens.size(); ++row)
    expectReference(scores[row], logits.data() + row * kVocabulary, kVocabulary, tokens[row]);
}

// Flat and peaked rows, in vectors of four and one by one, in shares that end inside a load, and fewer logits than
// places in a score.
TEST(LogProbabilities, AreThoseOfTheReference) {
  expectReference<9000, 3>(randomLogits(3 * 9000, 3.f, 1), {0, 4095, 8999});
  expectReference<9001, 3>(randomLogits(2 * 9001, 12.f, 2), {9000, 17});
  expectReference<16384, 4>(randomLogits(16384, 0.01f, 3), {8191});
  expectReference<97, 1>(randomLogits(97, 1.f, 4), {96});
  expectReference<7, 1>(randomLogits(2 * 7, 1.f, 5), {3, 6});
}

// The chosen token is the first of the most likely: there it is the same float.
TEST(LogProbabilities, OneTokenOneFloat) {
  std::vector<float> logits = randomLogits(9000, 2.f, 6);
  logits[5000] = 11.3f;
  const TokenScore score = scoresOf<9000, 3>(logits, {5000})[0];
  EXPECT_EQ(score.topTokens[0], 5000);
  EXPECT_EQ(score.topLogProbabilities[0], score.logProbability);
}

// Equal logits, within a thread's and across blocks: lowest id first.
TEST(LogProbabilities, TiesGoByIds) {
  std::vector<float> logits(9000, -1.f);
  for (const int id : {8999, 3000, 2999, 4, 5, 6, 7}) logits[id] = 2.f;
  const TokenScore score = scoresOf<9000, 3>(logits, {0})[0];
  const std::vector<int> top(score.topTokens, score.topTokens + 9);
  EXPECT_THAT(top, testing::ElementsAre(4, 5, 6, 7, 2999, 3000, 8999, 0, 1));
  EXPECT_EQ(score.topLogProbabilities[7], score.logProbability);
}

// All of the most likely in one thread's share: each comes once.
TEST(LogProbabilities, ManyOfOneShare) {
  std::vector<float> logits = randomLogits(9000, 1.f, 7);
  for (int i = 0; i < 30; ++i) logits[6000 + i] = 20.f + static_cast<float>(i % 7);
  expectReference<9000, 3>(logits, {6000});
}

// Large logits, and such that underflow beside them.
TEST(LogProbabilities, LargeLogits) {
  std::vector<float> logits(100, -1000.f);
  logits[3] = logits[4] = 1000.f;
  const TokenScore score = scoresOf<100, 1>(logits, {3})[0];
  EXPECT_NEAR(score.logProbability, -std::log(2.), 1e-6);
  EXPECT_EQ(score.topTokens[2], 0);
  EXPECT_EQ(score.topLogProbabilities[2], -2000.f - static_cast<float>(std::log(2.)));
}

// A row that nobody asks for says so and touches nothing else; a logit that is not finite is named, the first of them.
TEST(LogProbabilities, UnwantedAndBrokenRows) {
  std::vector<float> logits = randomLogits(4 * 9000, 1.f, 8);
  logits[9000 + 8000] = NAN;
  logits[9000 + 3500] = -kInfinity;
  logits[2 * 9000] = kInfinity;
  const std::vector<TokenScore> scores = scoresOf<9000, 3>(logits, {-2, 1, 5, 8999});
  EXPECT_EQ(scores[0].token, -2);
  EXPECT_EQ(scores[0].broken, kUntouched);
  EXPECT_EQ(scores[1].broken, 3500);
  EXPECT_EQ(scores[2].broken, 0);
  expectReference(scores[3], logits.data() + 3 * 9000, 9000, 8999);
}

} // namespace
} // namespace llcuda
