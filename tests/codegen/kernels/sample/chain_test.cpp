// SPDX-License-Identifier: Apache-2.0
// Every stage, and many chains of them, against the formulas in double: what is left, how likely it is, what is drawn
// and how states go on.
#include <cmath>
#include <map>

#include "tests/codegen/kernels/sample/sample_rows.h"

namespace llcuda {
namespace {

using namespace sampling_test;

constexpr double kTolerance = 1e-4;

/// Whether a rounding in f32 could decide otherwise: the same chain with logits that differ by a few of these leaves
/// something else.
bool isUndecided(const reference::SamplerInput& input, const SamplerProgram& program) {
  const auto left = [&](const reference::SamplerInput& from) {
    std::vector<int> ids;
    for (const reference::Candidate& c : reference::samplingCandidates(from, program)) ids.push_back(c.id);
    std::ranges::sort(ids);
    return ids;
  };
  const std::vector<int> ids = left(input);
  for (uint32_t seed = 0; seed < 12; ++seed) {
    reference::SamplerInput shaken = input;
    const std::vector<float> noise = randomLogits(input.logits.size(), 4e-6f, 1000 + seed);
    for (size_t i = 0; i < noise.size(); ++i) shaken.logits[i] += noise[i];
    if (left(shaken) != ids)
      return true;
  }
  return false;
}

double expectedProbability(const reference::Candidates& candidates, int id) {
  for (const reference::Candidate& c : candidates)
    if (c.id == id)
      return c.probability;
  return -1;
}

/// Compares all rows; how many were decided.
template <typename Rows>
int expectReference(Rows& test) {
  for (auto& row : test.rows)
    row.input.xtcDraw =
        static_cast<double>(philox(row.params.seed,
                                   row.input.tokens.empty() ? row.params.step : row.input.tokens.size() - 1,
                                   static_cast<uint32_t>(Noise::kXtc)) >>
                            40) *
        0x1p-24;
  test.run();
  int decided = 0;
  for (size_t r = 0; r < test.rows.size(); ++r) {
    const auto& row = test.rows[r];
    if (isUndecided(row.input, row.program))
      continue;
    ++decided;
    const reference::Candidates expected = reference::samplingCandidates(row.input, row.program);
    std::vector<double> likely;
    for (const reference::Candidate& c : expected)
      if (c.probability > 1e-11)
        likely.push_back(c.probability);
    std::ranges::sort(likely, std::greater());
    const SamplingReport& report = test.reports[r];
    EXPECT_GE(report.count, std::min<size_t>(likely.size(), kReportedCandidates)) << "row " << r;
    for (uint32_t i = 0; i < report.count; ++i) {
      EXPECT_NEAR(report.top[i].probability, expectedProbability(expected, report.top[i].token), kTolerance)
          << "row " << r << ", candidate " << i << " is " << report.top[i].token;
      EXPECT_NEAR(report.top[i].probability, i < likely.size() ? likely[i] : 0, kTolerance)
          << "row " << r << ", candidate " << i;
    }
    EXPECT_NEAR(report.probability, expectedProbability(expected, test.sampled[r]), kTolerance) << "row " << r;
    const double drawn = static_cast<double>(philox(row.params.seed, row.params.step)) * 0x1p-64;
    double sum = 0;
    const bool isAdaptive =
        row.program.stageCount != 0 && row.program.stages[row.program.stageCount - 1].op == SamplerOp::kAdaptive;
    reference::Candidates order = expected;
    std::ranges::stable_sort(
        order, [](const auto& a, const auto& b) { return a.logit != b.logit ? a.logit > b.logit : a.id < b.id; });
    for (const reference::Candidate& c : order) {
      sum += c.probability;
      if (std::abs(sum - drawn) < 1e-4)
        break;
      if (sum > drawn) {
        EXPECT_EQ(test.sampled[r], c.id) << "row " << r << (isAdaptive ? " of adaptive_p" : "");
        break;
      }
    }
  }
  return decided;
}

constexpr int kSmall = 19;

/// A row of each program with each of some logits.
template <int kVocabulary, int kBlocks>
void expectPrograms(const std::vector<SamplerProgram>& programs, float spread, int rows) {
  SampleRowsTest<kVocabulary, kBlocks> test;
  uint32_t seed = 1;
  for (const SamplerProgram& program : programs)
    for (int i = 0; i < rows; ++i, ++seed)
      test.add(randomLogits(kVocabulary, spread, seed), {seed, 100 + seed, 0, 1, 0}, program);
  EXPECT_GT(expectReference(test), static_cast<int>(test.rows.size()) * 8 / 10);
}

std::vector<SamplerProgram> each(SamplerOp op, std::initializer_list<std::pair<float, float>> values) {
  std::vector<SamplerProgram> programs;
  for (const auto& [a, b] : values) {
    programs.push_back(programOf({stage(op, a, b)}));
    programs.push_back(programOf({topK(9), stage(op, a, b)}));
  }
  return programs;
}

TEST(Chain, NoStages) {
  expectPrograms<kSmall, 1>({programOf({})}, 2.f, 4);
}
TEST(Chain, TopK) {
  expectPrograms<kSmall, 1>({programOf({topK(1)}), programOf({topK(5)}), programOf({topK(18)}), programOf({topK(400)})},
                            2.f, 3);
}
TEST(Chain, TopP) {
  expectPrograms<kSmall, 1>(each(SamplerOp::kTopP, {{0.01f, 0}, {0.5f, 0}, {0.9f, 0}, {0.999f, 0}}), 2.f, 3);
}
TEST(Chain, MinP) {
  expectPrograms<kSmall, 1>(each(SamplerOp::kMinP, {{0.01f, 0}, {0.2f, 0}, {1.f, 0}}), 2.f, 3);
}
TEST(Chain, Typical) {
  expectPrograms<kSmall, 1>(each(SamplerOp::kTypical, {{0.05f, 0}, {0.3f, 0}, {0.7f, 0}, {0.95f, 0}}), 2.f, 4);
  expectPrograms<200, 1>(each(SamplerOp::kTypical, {{0.2f, 0}, {0.9f, 0}}), 1.f, 2);
}
TEST(Chain, TopNSigma) {
  expectPrograms<kSmall, 1>(each(SamplerOp::kTopNSigma, {{0.2f, 0}, {1.f, 0}, {2.f, 0}}), 3.f, 3);
  expectPrograms<5000, 2>(each(SamplerOp::kTopNSigma, {{1.f, 0}, {3.f, 0}}), 3.f, 1);
}
TEST(Chain, Xtc) {
  expectPrograms<kSmall, 1>(each(SamplerOp::kXtc, {{1.f, 0.05f}, {1.f, 0.2f}, {0.5f, 0.1f}, {1.f, 0.5f}}), 1.f, 5);
}
TEST(Chain, Temperature) {
  expectPrograms<kSmall, 1>(each(SamplerOp::kTemperature, {{0.f, 0}, {0.1f, 0}, {0.8f, 0}, {5.f, 0}}), 2.f, 3);
}
TEST(Chain, DynamicTemperature) {
  auto programs = each(SamplerOp::kTemperature, {{0.8f, 0.5f}, {1.f, 1.f}, {0.5f, 2.f}});
  for (SamplerProgram& program : programs) program.dynatempExponent = 1.7f;
  // What top_n_sigma takes the probability of counts as a candidate yet.
  programs.push_back(programOf({stage(SamplerOp::kTopNSigma, 1.f), stage(SamplerOp::kTemperature, 1.f, 0.9f)}));
  programs.push_back(
      programOf({stage(SamplerOp::kTopNSigma, 1.f), topK(12), stage(SamplerOp::kTemperature, 1.f, 0.9f)}));
  expectPrograms<kSmall, 1>(programs, 2.f, 4);
}
TEST(Chain, MinKeep) {
  std::vector<SamplerProgram> programs;
  for (const SamplerOp op : {SamplerOp::kTopP, SamplerOp::kMinP, SamplerOp::kTypical})
    programs.push_back(programOf({stage(op, op == SamplerOp::kMinP ? 1.f : 0.05f)}));
  programs.push_back(programOf({stage(SamplerOp::kXtc, 1.f, 0.01f)}));
  for (SamplerProgram& program : programs) program.minKeep = 6;
  expectPrograms<kSmall, 1>(programs, 2.f, 4);
}

// The next state follows from the probability of what was drawn, before the draw was bent.
TEST(Chain, AdaptiveP) {
  SampleRowsTest<kSmall, 1> test;
  for (uint32_t i = 0; i < 24; ++i) {
    test.add(randomLogits(kSmall, 1.5f, i), {i, i, 0, 1, 0},
             programOf({topK(15), stage(SamplerOp::kAdaptive, 0.1f * static_cast<float>(i % 8), 0.9f)}));
    test.rows.back().input.state[0] = 0.3 * (i % 5);
    test.rows.back().input.state[1] = 1 + i % 3;
  }
  EXPECT_GT(expectReference(test), 20);
  for (size_t r = 0; r < test.rows.size(); ++r) {
    SamplerProgram before = test.rows[r].program;
    before.stageCount -= 1;
    const double p = expectedProbability(reference::samplingCandidates(test.rows[r].input, before), test.sampled[r]);
    EXPECT_NEAR(test.programs[r].state[0], p + 0.9 * test.rows[r].input.state[0], kTolerance);
    EXPECT_NEAR(test.programs[r].state[1], 1 + 0.9 * test.rows[r].input.state[1], kTolerance);
    EXPECT_EQ(test.reports[r].state[0], test.programs[r].state[0]);
    EXPECT_EQ(test.reports[r].state[1], test.programs[r].state[1]);
  }
}

TEST(Chain, Mirostat) {
  SampleRowsTest<200, 1> test;
  for (const SamplerOp op : {SamplerOp::kMirostat1, SamplerOp::kMirostat2})
    for (uint32_t i = 0; i < 16; ++i) {
      test.add(randomLogits(200, 1.f + 0.2f * static_cast<float>(i % 4), i), {i, i, 0, 1, 0},
               programOf({stage(SamplerOp::kTemperature, 0.9f), stage(op, 3.f, 0.1f)}));
      test.rows.back().input.state[0] = 0.7 * (i % 9);
    }
  EXPECT_GT(expectReference(test), 28);
  for (size_t r = 0; r < test.rows.size(); ++r) {
    const auto& row = test.rows[r];
    const double p = expectedProbability(reference::samplingCandidates(row.input, row.program), test.sampled[r]);
    const double next = p > 0 ? row.input.state[0] - 0.1 * (-std::log2(p) - 3) : NAN; // undecided rows have none
    EXPECT_FALSE(std::abs(test.programs[r].state[0] - next) > kTolerance) << r;
  }
}

// Bias first, tokens that a mask or a bias forbids are never there, and a row without any allowed token ends.
TEST(Chain, BiasAndMask) {
  SampleRowsTest<kSmall, 1> test;
  const float never = -std::numeric_limits<float>::infinity();
  for (uint32_t i = 0; i < 12; ++i) {
    test.add(randomLogits(kSmall, 2.f, i), {i, i, 0, 1, 0}, programOf({topK(10), stage(SamplerOp::kTopP, 0.95f)}));
    auto& input = test.rows.back().input;
    if (i % 2 == 0)
      input.biases = {{3, 4.5f}, {18, never}, {0, -2.f}};
    if (i % 3 != 0) {
      input.allowed.assign(kSmall, false);
      for (const size_t t : {0, 3, 7, 8, 18}) input.allowed[t] = true;
    }
  }
  EXPECT_GT(expectReference(test), 10);
  SampleRowsTest<kSmall, 1> none;
  none.add(randomLogits(kSmall, 2.f, 1), {1, 1, 0, 1, 0}, programOf({}));
  none.rows[0].input.allowed.assign(kSmall, false);
  none.run();
  EXPECT_EQ(none.sampled[0], kSampledNothing);
  EXPECT_EQ(none.positions[0], -1);
}

SamplerProgram withPast(SamplerProgram program, uint32_t seed) {
  program.usesPast = 1;
  program.repeat = 1.f + 0.2f * static_cast<float>(seed % 3);
  program.frequency = 0.3f * static_cast<float>(seed % 2);
  program.presence = 0.4f * static_cast<float>(seed % 5 == 0);
  program.penaltyTokens = seed % 4 == 0 ? kAllTokens : 5 + seed % 30;
  program.dryMultiplier = 0.8f;
  program.dryLog2Base = static_cast<float>(std::log2(1.75));
  program.dryMaxExponent = seed % 6 == 0 ? 1 : 158;
  program.dryAllowed = seed % 4;
  program.dryTokens = seed % 3 == 0 ? 12 : kAllTokens;
  return program;
}

reference::SamplerInput inputWithPast(size_t vocabulary, float spread, uint32_t seed) {
  std::mt19937 random(seed);
  reference::SamplerInput input;
  input.logits = randomLogits(vocabulary, spread, seed);
  const size_t length = 1 + random() % 60, words = 2 + random() % 4;
  for (size_t i = 0; i < length; ++i) input.tokens.push_back(static_cast<int>(random() % words * 3));
  if (seed % 2 == 0)
    input.breakers = {{0}, {3, 6}, {3, 6, 3}, {6, 6}, {9, 0, 9}};
  if (seed % 5 == 0)
    input.breakers = {{15}, {0, 3}, {0, 3, 3}};
  return input;
}

// Penalties and dry at the front of a chain, behind filters, and both.
TEST(Chain, PenaltiesAndDry) {
  const auto e = stage(SamplerOp::kPenalties, 0), d = stage(SamplerOp::kDry, 0),
             t = stage(SamplerOp::kTemperature, 0.7f);
  SampleRowsTest<kSmall, 1> test;
  uint32_t seed = 0;
  for (const auto& program :
       {programOf({e}), programOf({d}), programOf({e, d, t}), programOf({d, e}), programOf({topK(8), e}),
        programOf({t, d}), programOf({stage(SamplerOp::kTypical, 0.8f), e, t}),
        programOf({e, t, stage(SamplerOp::kTopP, 0.9f), d, stage(SamplerOp::kMinP, 0.01f)})})
    for (int i = 0; i < 12; ++i, ++seed) {
      test.add({}, {seed, 0, 0, 1, 0}, withPast(program, seed));
      test.rows.back().input = inputWithPast(kSmall, 2.f, seed);
    }
  EXPECT_GT(expectReference(test), 80);
  for (size_t r = 0; r < test.rows.size(); ++r) // what the row has read is part of the past from now on
    EXPECT_EQ(test.history[r * 64 + test.rows[r].input.tokens.size() - 1], test.rows[r].input.tokens.back());
}

// Chains of up to 6 stages in any order, with repeats, over vocabularies of one block and of several.
template <int kVocabulary, int kBlocks>
void expectRandomChains(uint32_t count, float spread) {
  std::mt19937 random(7);
  const auto uniform = [&](float low, float high) { return std::uniform_real_distribution<float>(low, high)(random); };
  SampleRowsTest<kVocabulary, kBlocks> test;
  for (uint32_t c = 0; c < count; ++c) {
    SamplerProgram program = programOf({});
    program.stageCount = 1 + random() % 6;
    for (uint32_t s = 0; s < program.stageCount; ++s) {
      const auto op = static_cast<SamplerOp>(random() % 9);
      SamplerStage& stage = program.stages[s];
      stage = {op, uniform(0.3f, 0.98f), 0, 0};
      if (op == SamplerOp::kTopK)
        stage.n = 3 + random() % kVocabulary;
      if (op == SamplerOp::kTopNSigma)
        stage.a = uniform(0.8f, 3.f);
      if (op == SamplerOp::kMinP)
        stage.a = uniform(0.001f, 0.2f);
      if (op == SamplerOp::kXtc)
        stage.b = uniform(0.02f, 0.2f);
      if (op == SamplerOp::kTemperature && random() % 2 == 0)
        stage.b = uniform(0.1f, 1.f);
    }
    program.minKeep = random() % 4;
    test.add({}, {c, 0, 0, 1, 0}, withPast(program, c));
    test.rows.back().input = inputWithPast(kVocabulary, spread, c);
  }
  EXPECT_GT(expectReference(test), static_cast<int>(count) * 7 / 10);
}
TEST(Chain, RandomChains) {
  expectRandomChains<kSmall, 1>(200, 2.f);
  expectRandomChains<501, 1>(60, 2.f);
  expectRandomChains<5000, 2>(24, 1.f);
}

// A row takes the same tokens and values beside others and alone.
TEST(Chain, NeighboursDoNotMatter) {
  SampleRowsTest<kSmall, 1> all;
  for (uint32_t c = 0; c < 8; ++c) {
    all.add({}, {c, 0, 0, 1, 0},
            withPast(programOf({stage(SamplerOp::kPenalties, 0), stage(SamplerOp::kTypical, 0.9f)}), c));
    all.rows.back().input = inputWithPast(kSmall, 2.f, c);
  }
  const auto rows = all.rows;
  all.run();
  for (size_t r = 0; r < rows.size(); ++r) {
    SampleRowsTest<kSmall, 1> alone;
    alone.rows = {rows[r]};
    alone.run();
    EXPECT_EQ(alone.sampled[0], all.sampled[r]);
    EXPECT_EQ(std::memcmp(&alone.reports[0], &all.reports[r], sizeof(SamplingReport)), 0);
  }
}

} // namespace
} // namespace llcuda
