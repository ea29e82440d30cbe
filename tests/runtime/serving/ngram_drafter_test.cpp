// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/ngram_drafter.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include <gmock/gmock.h>

#include "runtime/serving/draft_planner.h"

namespace llcuda::serving {
namespace {

using testing::ElementsAre;

/// What NgramLookup finds, by trying every place: of equally long matches the newest.
NgramLookup::Match slowMatch(std::span<const int32_t> tokens, uint32_t least) {
  NgramLookup::Match best;
  for (std::size_t end = tokens.size() - 1; end > 0; --end) {
    uint32_t length = 0;
    while (length < std::min<std::size_t>(end, NgramLookup::kLongest) &&
           tokens[end - 1 - length] == tokens[tokens.size() - 1 - length])
      ++length;
    if (length >= least && length > best.length)
      best = {length, static_cast<uint32_t>(end)};
  }
  return best;
}

// Texts of few words, in which n-grams of every length come back; a word at a time and all at once.
TEST(NgramLookup, FindsTheLongestAndNewest) {
  std::mt19937 random(3);
  for (const uint32_t least : {1u, 2u, 3u, 5u})
    for (int text = 0; text < 20; ++text) {
      std::vector<int32_t> tokens;
      NgramLookup lookup(least, 8); // hardly any buckets
      const auto words = static_cast<int32_t>(4 + text % 5);
      for (int i = 0; i < 25; ++i) {
        for (uint32_t more = 1 + random() % 3; more > 0; --more)
          tokens.push_back(static_cast<int32_t>(random() % static_cast<uint32_t>(words)));
        lookup.follow(tokens);
        const NgramLookup::Match found = lookup.find(tokens), expected = slowMatch(tokens, least);
        if (tokens.size() <= 33) { // else not all ends are looked at
          EXPECT_EQ(found.length, expected.length);
          EXPECT_EQ(found.next, expected.next);
        } else if (found.length != 0) {
          EXPECT_LE(found.length, expected.length);
          EXPECT_GE(found.length, least);
        }
      }
    }
}

TEST(NgramLookup, ShortSequencesHaveNone) {
  NgramLookup lookup(3, 100);
  lookup.follow({});
  EXPECT_EQ(lookup.find({}).length, 0u);
  const std::vector<int32_t> tokens = {1, 1, 1};
  lookup.follow(tokens);
  EXPECT_EQ(lookup.find(tokens).length, 0u);
}

// What followed is guessed, and where that ends what repeats itself goes on.
TEST(NgramDrafter, GuessesWhatFollowed) {
  const std::vector<int32_t> tokens = {1, 2, 3, 7, 8, 9, 1, 2, 3};
  const NgramDrafter drafter(3, 100, tokens);
  EXPECT_THAT(drafter.guess(tokens, 0, 4).tokens, ElementsAre(7, 8, 9, 1));
  EXPECT_THAT(drafter.guess(tokens, 2, 2).tokens, ElementsAre(9, 1));
  const std::vector<int32_t> loop = {5, 4, 5, 4, 5, 4};
  EXPECT_THAT(NgramDrafter(3, 100, loop).guess(loop, 0, 5).tokens, ElementsAre(5, 4, 5, 4, 5));
  const std::vector<int32_t> other = {1, 2, 3, 4};
  EXPECT_TRUE(NgramDrafter(3, 100, other).guess(other, 0, 4).tokens.empty());
}

// Chances fall from guess to guess, rise while guesses come, and fall where they do not, also unused.
TEST(NgramDrafter, ChancesFollowWhatComes) {
  std::vector<int32_t> tokens = {1, 2, 3, 10, 1, 2, 3};
  NgramDrafter drafter(3, 100, tokens);
  const Guess first = drafter.guess(tokens, 0, 3);
  EXPECT_TRUE(std::ranges::is_sorted(first.chances, std::greater<>()));
  EXPECT_DOUBLE_EQ(drafter.guess(tokens, 1, 1).chances[0], first.chances[1]);
  const auto chance = [&] { return drafter.guess(tokens, 0, 1).chances.at(0); };
  std::mt19937 random(1);
  const auto addRound = [&](bool comes) { // the n-gram, and what follows it
    for (const int32_t token : {static_cast<int32_t>(100 + random() % 1000), 1, 2, 3}) tokens.push_back(token);
    drafter.follow(tokens);
    const int32_t guess = drafter.guess(tokens, 0, 1).tokens.at(0);
    tokens.push_back(comes ? guess : 50 + static_cast<int32_t>(tokens.size()));
    drafter.follow(tokens);
  };
  const auto chanceOfNext = [&] {
    for (const int32_t token : {999, 1, 2, 3}) tokens.push_back(token);
    drafter.follow(tokens);
    return chance();
  };
  for (int i = 0; i < 30; ++i) addRound(false);
  const double low = chanceOfNext();
  EXPECT_LT(low, 0.2);
  tokens.push_back(10);
  for (int i = 0; i < 60; ++i) addRound(true);
  EXPECT_GT(chanceOfNext(), low + 0.25); // what follows the guess is another each time: that counts too
}

/// By rows: 1, 2, 4 and 8.
class BucketCosts final : public StepCosts {
public:
  explicit BucketCosts(std::vector<double> costs) : costs(std::move(costs)) {}
  double decode(const StepRows& step) const override {
    return costs[step.rows <= 1 ? 0 : step.rows <= 2 ? 1 : step.rows <= 4 ? 2 : 3];
  }
  double prompt(uint32_t, const StepTails&, const StepRows&) const override { return 0; }
  std::vector<double> costs;
};

const BucketCosts kT4Costs({1, 1.03, 1.11, 1.27});

std::vector<double> falling(double chance, std::size_t count) {
  std::vector<double> chances;
  for (double product = chance; chances.size() < count; product *= chance) chances.push_back(product);
  return chances;
}

std::vector<uint32_t> plan(std::vector<std::vector<double>> chances, DraftLimits limits, const StepCosts& costs) {
  std::vector<DraftState> rows;
  for (auto& row : chances) rows.push_back({10, std::move(row)});
  return planDrafts(rows, limits, costs).counts;
}

TEST(PlanDrafts, AsManyAsPay) {
  EXPECT_THAT(plan({falling(0.95, 15)}, {8}, kT4Costs), ElementsAre(7));
  EXPECT_THAT(plan({falling(0.6, 15)}, {8}, kT4Costs), ElementsAre(3));
  EXPECT_THAT(plan({falling(0.03, 15)}, {8}, kT4Costs), ElementsAre(0));
  EXPECT_THAT(plan({falling(0.95, 2)}, {8}, kT4Costs), ElementsAre(2));
  EXPECT_THAT(plan({{}}, {8}, kT4Costs), ElementsAre(0));
  // A processor that takes rows one by one gains nothing by any guess.
  EXPECT_THAT(plan({falling(0.99, 15)}, {8}, BucketCosts({1, 2, 4, 8})), ElementsAre(0));
}

// The likeliest of all rows, within what the step may have; too few are none; what takes time beside rows counts.
TEST(PlanDrafts, SharesRows) {
  EXPECT_THAT(plan({falling(0.9, 15), falling(0.6, 15), {}}, {8}, kT4Costs), ElementsAre(4, 1, 0));
  EXPECT_THAT(plan({falling(0.9, 15), falling(0.6, 15)}, {2}, kT4Costs), ElementsAre(0, 0));
  EXPECT_THAT(plan({falling(0.9, 15), falling(0.6, 15), {}}, {8, 2}, kT4Costs), ElementsAre(4, 0, 0));
  EXPECT_THAT(plan({falling(0.9, 3)}, {8, 4}, kT4Costs), ElementsAre(0));
  EXPECT_THAT(plan({falling(0.6, 15)}, {8, 0, 2}, kT4Costs), ElementsAre(0));
}

// A guess of the draft model takes a step of it, which rows share; what n-grams say is there already.
TEST(PlanDrafts, StepsOfTheDraftModelCount) {
  const DraftLimits dear = {.rows = 8, .modelMs = 0.4}, cheap = {.rows = 8, .modelMs = 0.05};
  const auto of = [](double chance) { return DraftState{10, falling(chance, 15), true}; };
  EXPECT_THAT(planDrafts(std::vector{of(0.6)}, cheap, kT4Costs).counts, ElementsAre(3));
  EXPECT_THAT(planDrafts(std::vector{of(0.4)}, dear, kT4Costs).counts, ElementsAre(0));
  const DraftPlan one = planDrafts(std::vector{of(0.8)}, dear, kT4Costs);
  EXPECT_THAT(one.counts, ElementsAre(3));
  EXPECT_NEAR(one.speedup, (1 + 0.8 + 0.64 + 0.512) / (1.11 + 3 * 0.4), 1e-9);
  EXPECT_NEAR(one.tokenMs, 1 / one.speedup, 1e-9);
  // Rows share its steps.
  EXPECT_THAT(planDrafts(std::vector{of(0.6)}, dear, kT4Costs).counts, ElementsAre(1));
  EXPECT_THAT(planDrafts(std::vector{of(0.6), of(0.6)}, {.rows = 8, .modelMs = 0.4}, kT4Costs).counts,
              ElementsAre(1, 1));
  DraftState known = of(0.4);
  known.asksModel = false;
  EXPECT_THAT(planDrafts(std::vector{known}, dear, kT4Costs).counts, ElementsAre(3));
}

/// How much faster a text is with guesses, by what steps take, when its first `known` tokens are the prompt.
double gainOf(const std::vector<int32_t>& text, std::size_t known, const StepCosts& costs, double overhead) {
  NgramDrafter drafter(3, static_cast<uint32_t>(text.size()), std::span(text).first(known));
  double time = 0;
  std::size_t at = known;
  while (at < text.size()) {
    const auto now = std::span(text).first(at);
    drafter.follow(now);
    const Guess guess = drafter.guess(now, 0, 15);
    const uint32_t count =
        planDrafts(std::vector<DraftState>{{static_cast<uint32_t>(at), guess.chances}}, {8, 0, overhead}, costs)
            .counts[0];
    time += costs.decode({.rows = 1 + count}) + (count == 0 ? 0 : overhead);
    for (uint32_t i = 0; i < count && at + 1 < text.size() && text[at] == guess.tokens[i]; ++i) ++at;
    ++at;
  }
  return static_cast<double>(text.size() - known) * costs.decode({.rows = 1}) / time;
}

// Texts that repeat themselves, that do so and go on otherwise, that have no order, and that change between these: the
// first become faster, none slower than 0.97 times.
TEST(PlanDrafts, NeverSlower) {
  std::mt19937 random(11);
  const auto add = [&](std::vector<int32_t>& text, std::size_t count, uint32_t words) {
    for (; count > 0; --count) text.push_back(static_cast<int32_t>(random() % words));
  };
  const auto repeat = [](std::vector<int32_t>& text, std::size_t from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) text.push_back(text[from + i]);
  };
  std::map<std::string, std::vector<int32_t>> texts;
  for (const uint32_t words : {2u, 3u, 5u, 9u, 20u, 1000u})
    add(texts["random of " + std::to_string(words)], 3000, words);
  std::vector<int32_t>& teasing = texts["repeats three words and goes on otherwise"];
  add(teasing, 600, 5000);
  for (std::size_t i = 0; i < 500; ++i) repeat(teasing, i, 3), add(teasing, 1 + i % 3, 1000000);
  std::vector<int32_t>& changing = texts["changes"];
  add(changing, 400, 5000);
  for (std::size_t i = 0; i < 20; ++i) repeat(changing, 10 * i, 60), add(changing, 60, 3);
  for (const auto& [name, text] : texts)
    for (const double overhead : {0.002, 0.02}) EXPECT_GE(gainOf(text, 200, kT4Costs, overhead), 0.97) << name;
  std::vector<int32_t> copy;
  add(copy, 400, 5000);
  for (std::size_t i = 0; i < 20; ++i) repeat(copy, 15 * i, 40), add(copy, 4, 5000); // as code that is edited
  EXPECT_GT(gainOf(copy, 400, kT4Costs, 0.01), 2.5);
  std::vector<int32_t> renamed; // two words of eight are another one each time
  add(renamed, 400, 5000);
  for (std::size_t i = 0; i < 400; i += 8) repeat(renamed, i, 6), add(renamed, 1, 1000000);
  EXPECT_GT(gainOf(renamed, 400, kT4Costs, 0.01), 2.1);
  EXPECT_DOUBLE_EQ(gainOf(copy, 400, BucketCosts({1, 2, 4, 8}), 0.01), 1);
}

} // namespace
} // namespace llcuda::serving
