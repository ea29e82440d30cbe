// SPDX-License-Identifier: Apache-2.0
// The most likely token, what becomes of rows, and draws; chain_test.cpp has the stages.
#include <cmath>
#include <limits>
#include <map>
#include <span>

#include "tests/codegen/kernels/sample/sample_rows.h"
#include "tests/nightly.h"

namespace llcuda {
namespace {

using namespace sampling_test;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr SamplingParams kGreedy = {};

// The largest logit at the first place, the last, and the edge between blocks; equal ones: the lowest id.
TEST(Sample, GreedyFindsTheLargest) {
  constexpr int kVocabulary = 9000;
  for (const std::vector<int>& places : std::vector<std::vector<int>>{
           {0}, {8999}, {2999, 3000}, {3000}, {4095, 4096}, {17, 18, 8000}, {1, 5999, 6000}}) {
    SampleRowsTest<kVocabulary, 3> test;
    test.add(randomLogits(kVocabulary, 2.f, 1), kGreedy);
    for (int place : places) test.rows[0].input.logits[static_cast<size_t>(place)] = 50.f;
    test.run();
    EXPECT_EQ(test.sampled[0], places[0]);
  }
}

TEST(Sample, GreedyOfOddLogits) {
  const auto greedy = [](std::vector<float> logits) {
    SampleRowsTest<5, 1> test;
    test.add(std::move(logits), kGreedy);
    test.run();
    return test.sampled[0];
  };
  EXPECT_EQ(greedy({-3, -2, -1, -2, -3}), 2);
  EXPECT_EQ(greedy({-3, -2, NAN, -1, -5}), kSampledNothing);
  EXPECT_EQ(greedy({-kInfinity, -kInfinity, -kInfinity, -1e30f, -kInfinity}), 3);
  EXPECT_EQ(greedy({-1, -0.f, -2, -3, -4}), 1);
  EXPECT_EQ(greedy({1, kInfinity, 2, 3, 4}), 1);
}

// Chains that keep the most likely token and nothing else need no search: bias and penalties decide.
TEST(Sample, BestOfAdjustedLogits) {
  SamplerProgram program = {};
  program.takesBest = 1;
  program.stageCount = 1;
  program.stages[0].op = SamplerOp::kPenalties;
  program.repeat = 1;
  program.presence = 3;
  program.penaltyTokens = kAllTokens;
  SampleRowsTest<5, 1> test;
  test.add({1, 2, 3, 4, 5}, {0, 0, 0, 1, 0}, program);
  test.rows[0].input.tokens = {4, 4, 0};
  test.rows[0].input.biases = {{1, 2.5f}};
  test.run();
  EXPECT_EQ(test.sampled[0], 1);
}

// A row with a NaN becomes nobody's; those beside it go on.
TEST(Sample, NanEndsItsRowAlone) {
  SampleRowsTest<8, 2> test;
  for (uint32_t r = 0; r < 3; ++r) test.add(randomLogits(8, 1.f, r), kGreedy, programOf({}));
  test.rows[2].params = {7, 5, 0, 1, 0};
  test.rows[0].input.logits[3] = 9.f;
  test.rows[1].input.logits[7] = NAN;
  test.positions = {4, 6, 5};
  test.run();
  EXPECT_EQ(test.sampled[0], 3);
  EXPECT_EQ(test.sampled[1], kSampledNothing);
  EXPECT_GE(test.sampled[2], 0);
  EXPECT_EQ(test.positions, (std::vector<int>{5, -1, 6}));
  EXPECT_EQ(test.tokens[1], -7);
}

// A row on hold keeps token, position, draw and states; its next step is the same.
TEST(Sample, HeldRowsStay) {
  SampleRowsTest<8, 1> test;
  test.add(randomLogits(8, 1.f, 4), {3, 9, 1, 1, 0}, programOf({stage(SamplerOp::kMirostat2, 5.f, 0.1f)}));
  test.add(randomLogits(8, 1.f, 5), kGreedy);
  test.rows[0].input.state[0] = 10;
  test.positions = {9, 2};
  test.run();
  EXPECT_EQ(test.sampled[0], kSampledHeld);
  EXPECT_GE(test.sampled[1], 0);
  EXPECT_EQ(test.positions, (std::vector<int>{9, 3}));
  EXPECT_EQ(test.tokens[0], -7);
  EXPECT_EQ(test.sampling[0].step, 9u);
  EXPECT_EQ(test.programs[0].state[0], 10.f);
}

// A decode row feeds its token back; a row of position -1 stays as it is.
TEST(Sample, DecodeFeedsBack) {
  SampleRowsTest<8, 1> test;
  for (uint32_t r = 0; r < 3; ++r) test.add(randomLogits(8, 1.f, r), kGreedy);
  test.rows[0].input.logits[3] = test.rows[2].input.logits[6] = 9.f;
  test.positions = {4, -1, 0};
  test.run();
  EXPECT_EQ(test.sampled, (std::vector<int>{3, -1, 6}));
  EXPECT_EQ(test.tokens, (std::vector<int>{3, -7, 6}));
  EXPECT_EQ(test.positions, (std::vector<int>{5, -1, 1}));
  EXPECT_EQ(test.sampling[0].step, 1u);
  EXPECT_EQ(test.sampling[1].step, 0u);
}

// An output of a prompt takes what the slot of its row has been told: here a bias.
TEST(Sample, PromptWritesSampledOnly) {
  std::vector<float> logits{1, 2, 9, 3, 1, 9, 2, 3}, adjusted(8);
  std::vector<SamplingParams> sampling{{}, {1, 4, 0, 1, 0}};
  std::vector<int> outputRows{-1, 4}, sampled{-7, -7}, slots{0, 0, 0, 0, 1}, history(2 * 8, 0);
  std::vector<SamplerProgram> programs(2);
  programs[1] = programOf({topK(1)});
  programs[1].biasCount = 1;
  std::vector<LogitBias> biases(2 * kLogitBiases);
  biases[kLogitBiases] = {3, 20.f};
  std::vector<uint32_t> breakers(2 * dryBreakerWords(4)), masks(2 * maskWords(4));
  std::vector<SamplingReport> reports(2);
  std::vector<uint64_t> partial(2 * samplePartials(1));
  std::vector<uint32_t> arrivals(2);
  hostsim::launch({.grid = {1, 2}, .block = kSampleThreads}, [&] {
    sample<SampleShape{.vocabulary = 4, .blocks = 1, .context = 8}>(
        logits.data(), sampling.data(), {nullptr, nullptr, slots.data(), outputRows.data()},
        {programs.data(), history.data(), biases.data(), breakers.data(), masks.data()}, adjusted.data(),
        reports.data(), partial.data(), arrivals.data(), sampled.data());
  });
  EXPECT_EQ(sampled, (std::vector<int>{-1, 3}));
  EXPECT_EQ(logits, (std::vector<float>{1, 2, 9, 3, 1, 9, 2, 3}));
}

// Equal logits: a limit that falls among them keeps those of the lowest ids.
TEST(Sample, TiesAreInOrderOfIds) {
  std::vector<float> logits(300, 1.f);
  logits[150] = 2.f;
  SampleRowsTest<300, 1> test;
  test.add(logits, {52, 0, 0, 1, 0}, programOf({topK(7)}));
  test.run();
  ASSERT_EQ(test.reports[0].count, 7u);
  EXPECT_EQ(test.reports[0].top[0].token, 150);
  for (int i = 1; i < 7; ++i) EXPECT_EQ(test.reports[0].top[i].token, i - 1);
}

/// Chi-square of the draws of a chain against its probabilities; what is drawn less than five times is taken together.
void expectDistribution(const char* name, SamplerProgram program, int draws) {
  constexpr int kVocabulary = 24, kRows = 500;
  program.reportsTop = 0;
  const std::vector<float> logits = randomLogits(kVocabulary, 1.5f, 7);
  reference::SamplerInput input;
  input.logits = logits;
  input.state[0] = program.state[0] = 2;
  input.state[1] = program.state[1] = 5;
  std::map<int, int> counts;
  for (int done = 0; done < draws; done += kRows) {
    SampleRowsTest<kVocabulary, 1> test;
    for (int draw = 0; draw < kRows; ++draw) {
      test.add(logits, {99, static_cast<uint32_t>(done + draw), 0, 1, 0}, program);
      std::ranges::copy(input.state, test.rows.back().input.state);
    }
    test.run();
    for (int token : test.sampled) ++counts[token];
  }
  double chiSquare = 0, freedom = -1, rareExpected = 0, rare = 0;
  const auto add = [&](double expected, double drawn) {
    chiSquare += (drawn - expected) * (drawn - expected) / expected;
    ++freedom;
  };
  for (const reference::Candidate& c : reference::samplingCandidates(input, program)) {
    const double expected = c.probability * draws, drawn = counts[c.id];
    counts.erase(c.id);
    if (expected >= 5)
      add(expected, drawn);
    else
      rareExpected += expected, rare += drawn;
  }
  if (rareExpected > 0)
    add(rareExpected, rare);
  EXPECT_TRUE(counts.empty()) << name << ": a token was drawn that the chain had removed";
  EXPECT_LT(chiSquare, freedom + 4 * std::sqrt(2 * std::max(freedom, 1.))) << name;
}

TEST(Sample, DrawsFollowTheDistribution) {
  const struct {
    const char* name;
    SamplerProgram program;
  } chains[] = {
      {"default", programOf({topK(20), stage(SamplerOp::kTopP, 0.9f), stage(SamplerOp::kMinP, 0.02f),
                             stage(SamplerOp::kTemperature, 0.9f)})},
      {"typ_p", programOf({stage(SamplerOp::kTypical, 0.7f)})},
      {"adaptive_p", programOf({stage(SamplerOp::kAdaptive, 0.1f, 0.9f)})},
      {"no stage", programOf({})},
      {"top_k", programOf({topK(9)})},
      {"top_p", programOf({stage(SamplerOp::kTopP, 0.8f)})},
      {"min_p", programOf({stage(SamplerOp::kMinP, 0.1f)})},
      {"top_n_sigma", programOf({stage(SamplerOp::kTopNSigma, 1.f)})},
      {"xtc", programOf({stage(SamplerOp::kXtc, 1.f, 0.05f)})},
      {"dynamic temperature", programOf({stage(SamplerOp::kTemperature, 1.2f, 1.f)})},
      {"mirostat 1", programOf({stage(SamplerOp::kMirostat1, 3.f, 0.1f)})},
      {"mirostat 2", programOf({stage(SamplerOp::kMirostat2, 3.f, 0.1f)})},
  };
  // All of them take minutes.
  for (const auto& chain : std::span(chains).first(nightly() ? std::size(chains) : 3))
    expectDistribution(chain.name, chain.program, nightly() ? 100'000 : 2'000);
}

// The published first output of Philox 4x32-10 for counter 0 and key 0.
TEST(Sample, PhiloxKnownAnswer) {
  EXPECT_EQ(philox(0, 0), 0xe169c58d6627e8d5u);
}

} // namespace
} // namespace llcuda
