// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/sample/sample.cuh"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>

#include "codegen/reference/sampling.h"
#include "runtime/hostsim/launch.h"

namespace llcuda {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr SamplingParams kGreedy{0.f, 1.f, 0.f, 0, 0, 0};

std::vector<float> randomLogits(size_t count, float spread, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.f, spread);
  std::vector<float> values(count);
  for (float& v : values) v = normal(generator);
  return values;
}

/// Rows of a decode phase, all wanted.
template <int kVocabulary, int kBlocks>
struct DecodeSample {
  std::vector<float> logits;
  std::vector<SamplingParams> sampling;
  std::vector<int> positions, tokens, sampled;
  std::vector<uint32_t> arrivals;

  void run() {
    const size_t rows = sampling.size();
    if (positions.empty())
      positions.assign(rows, 10);
    tokens.assign(rows, -7);
    sampled.assign(rows, -7);
    arrivals.assign(rows, 0);
    std::vector<uint64_t> partial(rows * kBlocks, ~uint64_t{0});
    hostsim::launch({.grid = {kBlocks, static_cast<uint32_t>(rows)}, .block = kSampleThreads}, [&] {
      sample<SampleShape{.vocabulary = kVocabulary, .blocks = kBlocks}>(
          logits.data(), sampling.data(), {tokens.data(), positions.data(), nullptr}, partial.data(), arrivals.data(),
          sampled.data());
    });
    EXPECT_EQ(arrivals, std::vector<uint32_t>(rows, 0)) << "counters must return to zero";
  }
};

// The largest logit at the first place, the last, and the edge between blocks; equal ones: the lowest id.
TEST(Sample, GreedyFindsTheLargest) {
  constexpr int kVocabulary = 9000;
  for (const std::vector<int>& places : std::vector<std::vector<int>>{
           {0}, {8999}, {2999, 3000}, {3000}, {4095, 4096}, {17, 18, 8000}, {1, 5999, 6000}}) {
    DecodeSample<kVocabulary, 3> decode{randomLogits(kVocabulary, 2.f, 1), {kGreedy}, {}, {}, {}, {}};
    for (int place : places) decode.logits[place] = 50.f;
    decode.run();
    EXPECT_EQ(decode.sampled[0], places[0]);
  }
}

TEST(Sample, GreedyOfOddLogits) {
  const auto greedy = [](std::vector<float> logits) {
    DecodeSample<5, 1> decode{std::move(logits), {kGreedy}, {}, {}, {}, {}};
    decode.run();
    return decode.sampled[0];
  };
  EXPECT_EQ(greedy({-3, -2, -1, -2, -3}), 2);
  EXPECT_EQ(greedy({-3, -2, NAN, -1, -5}), kSampledNothing);
  EXPECT_EQ(greedy({-kInfinity, -kInfinity, -kInfinity, -1e30f, -kInfinity}), 3);
  EXPECT_EQ(greedy({-1, -0.f, -2, -3, -4}), 1);
  EXPECT_EQ(greedy({1, kInfinity, 2, 3, 4}), 1);
}

// A row with a NaN becomes nobody's; those beside it go on.
TEST(Sample, NanEndsItsRowAlone) {
  DecodeSample<8, 2> decode{
      randomLogits(24, 1.f, 3), {kGreedy, kGreedy, {1.f, 1.f, 0.f, 0, 7, 5}}, {4, 6, 5}, {}, {}, {}};
  decode.logits[3] = 9.f;
  decode.logits[8 + 7] = NAN;
  decode.run();
  EXPECT_EQ(decode.sampled[0], 3);
  EXPECT_EQ(decode.sampled[1], kSampledNothing);
  EXPECT_GE(decode.sampled[2], 0);
  EXPECT_EQ(decode.positions, (std::vector<int>{5, -1, 6}));
  EXPECT_EQ(decode.tokens[1], -7);
}

// A row on hold keeps token, position and draw; its next step is the same.
TEST(Sample, HeldRowsStay) {
  DecodeSample<8, 1> decode{randomLogits(16, 1.f, 4), {{0.f, 1.f, 0.f, 0, 0, 9, 1}, kGreedy}, {9, 2}, {}, {}, {}};
  decode.run();
  EXPECT_EQ(decode.sampled[0], kSampledHeld);
  EXPECT_GE(decode.sampled[1], 0);
  EXPECT_EQ(decode.positions, (std::vector<int>{9, 3}));
  EXPECT_EQ(decode.tokens[0], -7);
  EXPECT_EQ(decode.sampling[0].step, 9u);
}

// A decode row feeds its token back; a row of position -1 stays as it is.
TEST(Sample, DecodeFeedsBack) {
  DecodeSample<8, 1> decode{randomLogits(24, 1.f, 2), {kGreedy, kGreedy, kGreedy}, {4, -1, 0}, {}, {}, {}};
  decode.logits[3] = decode.logits[16 + 6] = 9.f;
  decode.run();
  EXPECT_EQ(decode.sampled, (std::vector<int>{3, -1, 6}));
  EXPECT_EQ(decode.tokens, (std::vector<int>{3, -7, 6}));
  EXPECT_EQ(decode.positions, (std::vector<int>{5, -1, 1}));
  EXPECT_EQ(decode.sampling[0].step, 1u);
  EXPECT_EQ(decode.sampling[1].step, 0u);
}

TEST(Sample, PromptWritesSampledOnly) {
  std::vector<float> logits{1, 2, 9, 3, 1, 9, 2, 3};
  std::vector<SamplingParams> sampling{kGreedy, kGreedy};
  std::vector<int> outputRows{-1, 4}, sampled{-7, -7};
  std::vector<uint64_t> partial(2);
  std::vector<uint32_t> arrivals(2);
  hostsim::launch({.grid = {1, 2}, .block = kSampleThreads}, [&] {
    sample<SampleShape{.vocabulary = 4, .blocks = 1}>(logits.data(), sampling.data(),
                                                      {nullptr, nullptr, outputRows.data()}, partial.data(),
                                                      arrivals.data(), sampled.data());
  });
  EXPECT_EQ(sampled, (std::vector<int>{-1, 1}));
}

/// The token at which the probabilities of the candidates, in their order, reach what the generator drew; or -1 when a
/// rounding could decide otherwise.
int expectedToken(const std::vector<float>& logits, const SamplingParams& params) {
  const double drawn = static_cast<double>(philox(params.seed, params.step)) * 0x1p-64;
  double sum = 0;
  for (const reference::Candidate& c : reference::samplingCandidates(logits, params)) {
    sum += c.probability;
    if (std::abs(sum - drawn) < 1e-5)
      return -1;
    if (sum > drawn)
      return c.id;
  }
  return -1;
}

/// 40 draws of each set of parameters from one row of logits.
template <int kVocabulary, int kBlocks>
void expectReferenceDraws(const std::vector<float>& logits, const std::vector<SamplingParams>& chains) {
  constexpr int kDraws = 40;
  DecodeSample<kVocabulary, kBlocks> decode;
  for (const SamplingParams& chain : chains)
    for (int draw = 0; draw < kDraws; ++draw) {
      decode.logits.insert(decode.logits.end(), logits.begin(), logits.end());
      decode.sampling.push_back(chain);
      decode.sampling.back().step = 1000 + draw;
    }
  const std::vector<SamplingParams> before = decode.sampling;
  decode.run();
  int decided = 0;
  for (size_t r = 0; r < before.size(); ++r) {
    const int expected = expectedToken(logits, before[r]);
    if (expected < 0)
      continue;
    ++decided;
    EXPECT_EQ(decode.sampled[r], expected) << "chain " << r / kDraws << ", step " << before[r].step;
  }
  EXPECT_GT(decided, static_cast<int>(before.size()) * 9 / 10);
}

// Each filter alone and all together, in the order of the chain: another order gives other tokens.
TEST(Sample, ChainsMatchReference) {
  expectReferenceDraws<200, 1>(randomLogits(200, 2.f, 3), {{1.f, 1.f, 0.f, 0, 42, 0},
                                                           {0.7f, 1.f, 0.f, 5, 42, 0},
                                                           {1.5f, 0.6f, 0.f, 0, 43, 0},
                                                           {2.f, 1.f, 0.2f, 0, 44, 0},
                                                           {0.8f, 0.95f, 0.05f, 40, 45, 0},
                                                           {3.f, 0.3f, 0.f, 10, 46, 0},
                                                           {1.f, 0.f, 0.f, 0, 47, 0},
                                                           {1.f, 1.f, 1.f, 0, 48, 0},
                                                           {1.f, 1.f, 0.f, 1, 49, 0}});
}

// More candidates than the list holds, over several blocks, and an odd number of logits.
TEST(Sample, ManyCandidates) {
  const SamplingParams all{1.f, 1.f, 0.f, 0, 50, 0}, most{1.2f, 0.9f, 0.f, 3000, 51, 0};
  expectReferenceDraws<5000, 2>(randomLogits(5000, 0.5f, 4), {all, most});
  expectReferenceDraws<4999, 2>(randomLogits(4999, 0.5f, 5), {most});
}

// Equal logits: a limit that falls among them keeps those of the lowest ids.
TEST(Sample, TiesAreInOrderOfIds) {
  std::vector<float> logits(300, 1.f);
  logits[150] = 2.f;
  expectReferenceDraws<300, 1>(logits, {{1.f, 1.f, 0.f, 7, 52, 0}, {1.f, 0.5f, 0.f, 0, 53, 0}});
}

// Logits that a grammar has forbidden are never drawn, however high the temperature; far ones keep their share.
TEST(Sample, ForbiddenAndFarLogits) {
  std::vector<float> logits = randomLogits(64, 40.f, 6);
  for (size_t i = 0; i < logits.size(); i += 2) logits[i] = -kInfinity;
  expectReferenceDraws<64, 1>(logits, {{30.f, 1.f, 0.f, 0, 54, 0}, {30.f, 1.f, 0.f, 60, 55, 0}});
}

// Counts of 800 draws against the probabilities of the chain.
TEST(Sample, DrawsFollowTheDistribution) {
  constexpr int kDraws = 800, kVocabulary = 24;
  const std::vector<float> logits = randomLogits(kVocabulary, 1.5f, 7);
  SamplingParams params{0.9f, 0.9f, 0.02f, 20, 99, 0};
  DecodeSample<kVocabulary, 1> decode;
  for (int draw = 0; draw < kDraws; ++draw) {
    decode.logits.insert(decode.logits.end(), logits.begin(), logits.end());
    decode.sampling.push_back(params);
    decode.sampling.back().step = draw;
  }
  decode.run();
  std::map<int, int> counts;
  for (int token : decode.sampled) ++counts[token];
  const std::vector<reference::Candidate> candidates = reference::samplingCandidates(logits, params);
  double chiSquare = 0;
  for (const reference::Candidate& c : candidates) {
    const double expected = c.probability * kDraws;
    chiSquare += (counts[c.id] - expected) * (counts[c.id] - expected) / expected;
  }
  EXPECT_EQ(counts.size(), candidates.size()) << "a token that the chain had removed was drawn, or one never was";
  const double freedom = candidates.size() - 1.;
  EXPECT_LT(chiSquare, freedom + 4 * std::sqrt(2 * freedom));
}

// The published first output of Philox 4x32-10 for counter 0 and key 0.
TEST(Sample, PhiloxKnownAnswer) {
  EXPECT_EQ(philox(0, 0), 0xe169c58d6627e8d5u);
}

} // namespace
} // namespace llcuda
