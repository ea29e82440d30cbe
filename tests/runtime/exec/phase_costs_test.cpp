// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/phase_costs.h"

#include <gtest/gtest.h>

#include "runtime/engine/engine.h"
#include "runtime/schema/phase_facts.h"
#include "tests/runtime/engine/toy_engine.h"

namespace llcuda {
namespace {

class PhaseCostsTest : public testing::Test {
protected:
  const fb::Phase& phase(bool prompt, uint32_t rows) const {
    for (const fb::Phase* phase : *engine.metadata().phases())
      if (isPrompt(*phase) == prompt && phase->rows() == rows)
        return *phase;
    std::abort();
  }

  std::vector<std::byte> file = toy::fileBytes(toy::toyEngine());
  Engine engine = std::move(Engine::view(file, "toy.engine")).value();
  /// A launch of the toy engine reads a byte, 2 + 3 of each row, 4 of each key and 7 of each of the experts, of which
  /// two rows choose 3 of 4 on average; it makes 5 and 6 products.
  DeviceRates rates = {0.5, {1, 0.25, 1, 1, 1}, 100};
  PhaseCosts costs{rates};
  const StepRows two = {.rows = 2, .sequences = 2, .positions = 10};
};

// Three launches, the last of which are the tail: by memory (1 + 2 * 5 + 10 * 4 + 3 * 7) / 0.5 = 144 ns, by arithmetic
// (2 * 5 + 10 * 6) / 0.25 = 280 ns, which is more.
TEST_F(PhaseCostsTest, BeginsWithTheWorkOfTheEngine) {
  EXPECT_DOUBLE_EQ(costs.of(phase(false, 2), true, two), 3 * (280 + 100));
  EXPECT_DOUBLE_EQ(costs.of(phase(false, 2), false, two), 280 + 100);
  rates.multiplyAdds.fill(1e9);
  EXPECT_NEAR(PhaseCosts(rates).of(phase(false, 2), false, two), 144 + 100, 1e-3);
}

// A row without a token is computed like others; the rows of one sequence each go through its keys.
TEST_F(PhaseCostsTest, PaddingCostsAndEachRowReadsTheKeys) {
  const fb::Phase& prompt = phase(true, 8);
  const StepRows six = {.rows = 6, .sequences = 1, .positions = 10};
  const double launches = trunkOf(prompt).end;
  EXPECT_DOUBLE_EQ(costs.of(prompt, false, six), launches * ((8 * 5 + 10 * 6 * 6) / 0.25 + 100));
}

// The first measurement counts whole, at other positions in proportion; later ones draw the costs towards them.
TEST_F(PhaseCostsTest, FollowsWhatWasMeasured) {
  const fb::Phase& decode = phase(false, 2);
  const double first = costs.of(decode, true, two);
  costs.follow(decode, true, two, 3 * first);
  EXPECT_DOUBLE_EQ(costs.of(decode, true, two), 3 * first);
  const StepRows longer = {.rows = 2, .sequences = 2, .positions = 20};
  EXPECT_DOUBLE_EQ(costs.of(decode, true, longer), 3 * PhaseCosts(rates).of(decode, true, longer));
  costs.follow(decode, true, two, first);
  EXPECT_DOUBLE_EQ(costs.of(decode, true, two), 2.75 * first);
  for (int i = 0; i < 60; ++i) costs.follow(decode, true, two, first);
  EXPECT_NEAR(costs.of(decode, true, two), first, 1e-3 * first);
}

// A phase that has not run yet is as much slower than predicted as those that have; one that has goes by itself.
TEST_F(PhaseCostsTest, OthersTellOfADevice) {
  const fb::Phase &decode = phase(false, 2), &prompt = phase(true, 8);
  const StepRows eight = {.rows = 8, .sequences = 1, .positions = 8};
  const double before = costs.of(prompt, false, eight);
  costs.follow(decode, true, two, 5 * costs.of(decode, true, two));
  EXPECT_DOUBLE_EQ(costs.of(prompt, false, eight), 5 * before);
  costs.follow(prompt, false, eight, before);
  EXPECT_DOUBLE_EQ(costs.of(prompt, false, eight), before);
  EXPECT_DOUBLE_EQ(costs.of(decode, true, two), 5 * PhaseCosts(rates).of(decode, true, two));
}

// Tails that are asked for besides cost their launches, the one that scores each of its runs.
TEST_F(PhaseCostsTest, OtherTails) {
  StepTails tails = true;
  tails.report = true;
  EXPECT_DOUBLE_EQ(costs.of(phase(false, 2), tails, two), 4 * (280 + 100));
  const StepRows six = {.rows = 6, .sequences = 1, .positions = 10};
  StepTails scores;
  scores.scoreRuns = 2;
  const double trunk = costs.of(phase(true, 8), false, six), twice = costs.of(phase(true, 8), scores, six) - trunk;
  scores.scoreRuns = 6;
  scores.pool = true;
  const double pool = costs.of(phase(true, 8), scores, six) - trunk - 3 * twice;
  EXPECT_GT(twice, 200);
  EXPECT_GT(pool, 100);
}

} // namespace
} // namespace llcuda
