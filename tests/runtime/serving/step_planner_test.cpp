// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/step_planner.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::serving {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Milliseconds of a 3B model.
struct SimulatedDevice {
  double decode = 8.7, decodeRow = 0.07;                      ///< of a decode step, and of each of its rows
  double leastPrompt = 9, prompt = 0, promptRow = 0.19;       ///< of a prompt run
  double sample = 0.8, position = 2.5e-5, rowPosition = 2e-7; ///< keys: of a decode row, of a prompt row
};
/// About what a T4 would take, and what an H200 takes.
constexpr SimulatedDevice kT4, kH200 = {1, 0.078, 3.6, 1.2, 0.0375, 0.2, 2e-6, 1e-8};

/// A decode step reads the weights, a prompt run computes its rows, keys cost besides.
class SimulatedCosts final : public StepCosts {
public:
  explicit SimulatedCosts(std::vector<PromptShape> phases, const SimulatedDevice& device = kT4)
      : phases(std::move(phases)), device(device) {}

  double decode(const StepRows& step) const override {
    return device.decode + device.decodeRow * step.rows + device.position * static_cast<double>(step.positions);
  }
  double prompt(uint32_t phase, const StepTails& tails, const StepRows& step) const override {
    return std::max(device.leastPrompt, device.prompt + device.promptRow * phases[phase].rows) +
           (tails.sample ? device.sample : 0) + 2. * tails.scoreRuns +
           device.rowPosition * phases[phase].rows * static_cast<double>(step.positions);
  }

  std::vector<PromptShape> phases;
  SimulatedDevice device;
};

const std::vector<PromptShape> kPhases = {{64, 64, 1}, {128, 64, 2}, {512, 64, 8}};
const std::vector<PromptShape> kWithNarrow = {{8, 8, 1}, {32, 32, 1}, {64, 64, 1}, {128, 64, 2}, {512, 64, 8}};

RowState row(uint32_t position, uint64_t arrival = 0, int32_t priority = 0) {
  return {{priority, arrival, 0}, position, {0}, {1}};
}
PromptState prompt(uint32_t left, uint64_t arrival, int32_t priority = 0, double waited = 0) {
  return {{priority, arrival, waited}, 0, left, {1}};
}

uint32_t tokensOf(const PromptRun& run) {
  uint32_t tokens = 0;
  for (const PromptPiece& piece : run.pieces) tokens += piece.tokens;
  return tokens;
}

/// Milliseconds of the prompt runs and the decode step of a plan.
double millisecondsOf(const StepPlan& plan, const StepState& state, const SimulatedCosts& costs) {
  double sum = 0;
  for (const PromptRun& run : plan.runs) sum += costs.prompt(run.phase, true, stepRowsOf(run, state.prompts));
  StepRows rows = {.rows = 0, .sequences = 0};
  for (uint32_t i = 0; i < state.rows.size(); ++i)
    if (std::ranges::count(plan.pausedRows, i) == 0)
      ++rows.rows, ++rows.sequences, rows.positions += state.rows[i].position + 1;
  return sum + (rows.rows == 0 ? 0 : costs.decode(rows));
}

class StepPlannerTest : public testing::Test {
protected:
  StepPlan planOf(const std::vector<RowState>& rows, const std::vector<PromptState>& prompts, PageCounts free = {99}) {
    return planStep({rows, prompts, std::move(free)}, costs.phases, costs, options);
  }
  SimulatedCosts costs{kPhases};
  PlannerOptions options;
};

// Nobody waits for a token: the widest phase, and one run, so that a request that comes is heard after it.
TEST_F(StepPlannerTest, WithoutRowsTheWidestPhase) {
  const StepPlan plan = planOf({}, {prompt(2000, 0)});
  ASSERT_EQ(plan.runs.size(), 1u);
  EXPECT_EQ(plan.runs[0].phase, 2u);
  EXPECT_EQ(tokensOf(plan.runs[0]), 512u);
}

// Beside rows no more than the target allows; with a larger target a wider phase.
TEST_F(StepPlannerTest, BesideRowsWhatTheTargetAllows) {
  const std::vector<RowState> rows(8, row(300));
  EXPECT_EQ(planOf(rows, {prompt(2000, 0)}).runs[0].phase, 0u);
  options.target = 60;
  EXPECT_EQ(planOf(rows, {prompt(2000, 0)}).runs[0].phase, 1u);
  options.target = 200;
  EXPECT_EQ(planOf(rows, {prompt(2000, 0)}).runs[0].phase, 2u);
}

// Prompts in order of arrival, whatever the order they are handed in; the rest of a run is the next one's.
TEST_F(StepPlannerTest, OrderOfArrivalAndRides) {
  const StepPlan plan = planOf({}, {prompt(70, 9), prompt(400, 3), prompt(900, 5)});
  ASSERT_EQ(plan.runs.size(), 1u);
  ASSERT_EQ(plan.runs[0].pieces.size(), 2u);
  EXPECT_EQ(plan.runs[0].pieces[0].prompt, 1u);
  EXPECT_EQ(plan.runs[0].pieces[0].tokens, 400u);
  EXPECT_EQ(plan.runs[0].pieces[1].prompt, 2u);
  EXPECT_EQ(plan.runs[0].pieces[1].tokens, 64u); // rows 448 ... 511
}

TEST_F(StepPlannerTest, PrioritiesUntilSomebodyIsOld) {
  const auto first = [&](double waited) {
    return planOf({}, {prompt(600, 1, 0, waited), prompt(600, 2, 5), prompt(600, 3, 5)}).runs[0].pieces[0].prompt;
  };
  EXPECT_EQ(first(1999), 1u);
  EXPECT_EQ(first(2000), 0u);
}

// A phase of 8 or 32 rows costs about what one of 64 does: a long prompt is not cut for it, a short one runs in it.
TEST_F(StepPlannerTest, NarrowPhasesForShortPromptsAlone) {
  costs.phases = kWithNarrow;
  options.target = 9 + 18;
  EXPECT_EQ(planOf({row(300)}, {prompt(2000, 0)}).runs[0].phase, 2u); // 64 rows
  options.target = 1;                                                 // nothing fits
  EXPECT_EQ(planOf({row(300)}, {prompt(2000, 0)}).runs[0].phase, 2u);
  EXPECT_EQ(planOf({row(300)}, {prompt(7, 0)}).runs[0].phase, 0u);
}

// Rows that are scored take the tail that scores as often as they fill it: beside a decode step fewer of them fit.
TEST_F(StepPlannerTest, ScoredRowsCostMore) {
  costs.phases = {{64, 64, 1, 32}, {128, 64, 2, 32}, {512, 64, 8, 32}};
  options.target = 9 + 26;
  PromptState scored = prompt(2000, 0);
  EXPECT_EQ(planOf({row(300)}, {scored}).runs[0].phase, 1u);
  scored.scored = true;
  EXPECT_EQ(planOf({row(300)}, {scored}).runs[0].phase, 0u); // 12.2 + 2 * 2 of 26 ms, where 128 rows take 24.3 + 4 * 2
}

// The newest of the lowest priority makes room, a prompt as well as a row, until what is left fits.
TEST_F(StepPlannerTest, PausesTheNewestOfTheLowestPriority) {
  RowState first = row(63, 1), second = row(63, 2), third = row(127, 3, 1);
  for (RowState* state : {&first, &second, &third}) state->missing = {1};
  StepPlan plan = planOf({first, second, third}, {}, {1});
  EXPECT_THAT(plan.pausedRows, ElementsAre(1)); // gives one page back and needs none: 2 for 2
  PromptState newest = prompt(100, 4);
  newest.held = {2};
  plan = planOf({first, second, third}, {newest}, {1});
  EXPECT_THAT(plan.pausedPrompts, ElementsAre(0));
  EXPECT_THAT(plan.pausedRows, IsEmpty());
  EXPECT_THAT(plan.runs, IsEmpty());
  EXPECT_THAT(planOf({first, second, third}, {newest}, {3}).pausedPrompts, IsEmpty());
}

// Every group of pools has to have what its rows need.
TEST_F(StepPlannerTest, PausesForAnyGroup) {
  RowState first = row(63, 1), second = row(63, 2);
  first.missing = second.missing = {0, 1};
  first.held = second.held = {4, 2};
  EXPECT_THAT(planOf({first, second}, {}, {50, 1}).pausedRows, ElementsAre(1));
  EXPECT_THAT(planOf({first, second}, {}, {0, 2}).pausedRows, IsEmpty());
}

// -------------------------------------------------------------------------------------------------- simulated clocks

struct Arrival {
  double at;
  uint32_t tokens;
};

/// What a day of requests looks like from outside.
struct Simulated {
  std::vector<double> gaps;        ///< between decode steps, or between tokens of each client
  std::map<uint32_t, double> ttft; ///< of each arrival
  double total = 0;
};

/// `streams` sequences of up to 2,000 positions generate for ever while prompts arrive, each of which then generates
/// `generate` tokens.
Simulated simulate(const SimulatedCosts& costs, uint32_t streams, const std::vector<Arrival>& arrivals,
                   uint32_t generate) {
  struct Running {
    uint32_t position, left;
  };
  Simulated seen;
  std::vector<Running> running(streams, Running{200, UINT32_MAX});
  struct Waiting {
    uint32_t index, done = 0;
  };
  std::vector<Waiting> waiting;
  std::size_t next = 0;
  double now = 0, lastStep = 0;
  while (next < arrivals.size() || !waiting.empty()) {
    for (; next < arrivals.size() && arrivals[next].at <= now; ++next) waiting.push_back({static_cast<uint32_t>(next)});
    std::vector<RowState> rows;
    std::vector<PromptState> prompts;
    for (uint32_t i = 0; i < running.size(); ++i) rows.push_back(row(running[i].position, i));
    for (const Waiting& entry : waiting) {
      prompts.push_back(
          prompt(arrivals[entry.index].tokens - entry.done, entry.index, 0, now - arrivals[entry.index].at));
      prompts.back().first = entry.done;
    }
    const StepState state = {rows, prompts, {1u << 20}};
    const StepPlan plan = planStep(state, costs.phases, costs, {});
    if (rows.empty() && plan.runs.empty()) {
      now = arrivals[next].at;
      continue;
    }
    now += millisecondsOf(plan, state, costs);
    if (!rows.empty())
      seen.gaps.push_back(now - lastStep), lastStep = now;
    else
      lastStep = now;
    std::vector<uint32_t> order; // of first pieces: nobody begins while somebody before him is not done
    for (const PromptRun& run : plan.runs) {
      uint32_t used = 0;
      EXPECT_LE(run.pieces.size(), costs.phases[run.phase].sequences());
      for (const PromptPiece& piece : run.pieces) {
        EXPECT_EQ(used % costs.phases[run.phase].rowBlock, 0u);
        used += (piece.tokens + 63) / 64 * 64;
        EXPECT_EQ(piece.first + prompts[piece.prompt].first, waiting[piece.prompt].done);
        waiting[piece.prompt].done += piece.tokens;
        order.push_back(piece.prompt);
      }
      EXPECT_LE(used, std::max(64u, costs.phases[run.phase].rows));
    }
    EXPECT_TRUE(std::ranges::is_sorted(order));
    for (uint32_t i = 0; i + 1 < order.size(); ++i)
      EXPECT_TRUE(order[i] == order[i + 1] || waiting[order[i]].done == arrivals[waiting[order[i]].index].tokens)
          << "left behind";
    for (Running& sequence : running) --sequence.left, sequence.position += sequence.position < 2000 ? 1 : -1800;
    std::erase_if(running, [](const Running& sequence) { return sequence.left == 0; });
    for (const Waiting& entry : waiting)
      if (entry.done == arrivals[entry.index].tokens) {
        seen.ttft[entry.index] = now - arrivals[entry.index].at;
        running.push_back({entry.done, generate});
      }
    std::erase_if(waiting, [&](const Waiting& entry) { return entry.done == arrivals[entry.index].tokens; });
  }
  return seen;
}

std::vector<Arrival> randomArrivals(uint32_t seed, uint32_t count, double meanGap) {
  std::mt19937 random(seed);
  std::exponential_distribution<double> gap(1 / meanGap);
  std::vector<Arrival> arrivals;
  double at = 0;
  for (uint32_t i = 0; i < count; ++i) {
    at += gap(random);
    const double length = 64 * std::pow(125., std::uniform_real_distribution<double>(0, 1)(random));
    arrivals.push_back({at, static_cast<uint32_t>(length)}); // 64 ... 8000
  }
  return arrivals;
}

double medianOf(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

// Beside 32 streams no gap above 3 medians while prompts of 64 to 8,000 tokens arrive, and every prompt is answered.
TEST(StepPlannerSimulation, NoGapAboveThreeMedians) {
  const SimulatedCosts costs(kPhases);
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    const std::vector<Arrival> arrivals = randomArrivals(seed, 40, seed % 2 == 0 ? 400 : 4000);
    const Simulated seen = simulate(costs, 32, arrivals, 50);
    EXPECT_EQ(seen.ttft.size(), arrivals.size());
    EXPECT_LE(std::ranges::max(seen.gaps), 3 * medianOf(seen.gaps)) << "seed " << seed;
  }
}

/// Clients that send a prompt, read the answer and send the next one.
Simulated simulateClients(const SimulatedCosts& costs, uint32_t clients, uint32_t each, uint32_t tokens,
                          uint32_t generate) {
  struct Client {
    uint32_t request, position = 0, left = 0; ///< the second: of the prompt that is computed, or of the row
    double since = 0;                         ///< the prompt was sent, or the last token came
  };
  Simulated seen;
  std::vector<Client> waiting, running;
  for (uint32_t c = 0; c < clients; ++c) waiting.push_back({c});
  uint32_t sent = clients;
  double now = 0;
  while (!waiting.empty() || !running.empty()) {
    std::vector<RowState> rows;
    std::vector<PromptState> prompts;
    for (const Client& client : running) rows.push_back(row(client.position, client.request));
    for (const Client& client : waiting) {
      prompts.push_back(prompt(tokens - client.position, client.request, 0, now - client.since));
      prompts.back().first = client.position;
    }
    const StepState state = {rows, prompts, {1u << 20}};
    const StepPlan plan = planStep(state, costs.phases, costs, {});
    now += millisecondsOf(plan, state, costs);
    for (Client& client : running) {
      seen.gaps.push_back(now - client.since);
      client.since = now;
      ++client.position;
      if (--client.left == 0 && sent < clients * each)
        waiting.push_back({sent++, 0, 0, now});
    }
    std::erase_if(running, [](const Client& client) { return client.left == 0; });
    for (const PromptRun& run : plan.runs)
      for (const PromptPiece& piece : run.pieces) waiting[piece.prompt].position += piece.tokens;
    for (const Client& client : waiting)
      if (client.position == tokens) {
        seen.ttft[client.request] = now - client.since;
        running.push_back({client.request, tokens, generate - 1, now});
      }
    std::erase_if(waiting, [&](const Client& client) { return client.position == tokens; });
  }
  seen.total = now;
  return seen;
}

// Many long prompts at once: beside few rows prompts have most of the time, whoever generates waits 3 medians at most.
TEST(StepPlannerSimulation, ManyLongPrompts) {
  for (const SimulatedDevice& device : {kH200, kT4}) {
    const SimulatedCosts costs(kWithNarrow, device);
    const Simulated seen = simulateClients(costs, 32, 2, 1024, 64);
    std::vector<double> first;
    for (const auto& [request, ttft] : seen.ttft) first.push_back(ttft);
    ASSERT_EQ(first.size(), 64u);
    // All 32 prompts one after another in the widest phase.
    const double atBest = 64 * costs.prompt(4, false, {.rows = 512, .sequences = 1, .positions = 0});
    EXPECT_LE(medianOf(first), 1.3 * atBest);
    EXPECT_LE(std::ranges::max(seen.gaps), 3 * medianOf(seen.gaps));
  }
}

// Short prompts and longer answers: no gap above 3 medians, and little more time than prompts and answers would take
// one after another, each in the widest phases.
TEST(StepPlannerSimulation, ManyAnswers) {
  for (const SimulatedDevice& device : {kH200, kT4}) {
    const SimulatedCosts costs(kWithNarrow, device);
    const Simulated seen = simulateClients(costs, 32, 4, 128, 128);
    EXPECT_EQ(seen.ttft.size(), 128u);
    EXPECT_LE(std::ranges::max(seen.gaps), 3 * medianOf(seen.gaps));
    const double batched = 4 * (8 * costs.prompt(4, true, {.rows = 512, .sequences = 4, .positions = 512}) +
                                128 * costs.decode({.rows = 32, .sequences = 32, .positions = 32 * 192}));
    EXPECT_LE(seen.total, batched / 0.85);
  }
}

// Four branches of a trunk of 2,000 tokens: when it is computed, by the one that came first, the others have the rest
// of a page and their own tokens left. They take 1.3 times the time of one, answers of four tokens included.
TEST(StepPlannerSimulation, BranchesOfOneTrunk) {
  const SimulatedCosts costs(kWithNarrow, kH200);
  const auto timeOf = [&](uint32_t branches) {
    double now = 0;
    std::vector<RowState> rows;
    std::vector<uint32_t> left(1, 2020), generated;
    while (!left.empty() || std::ranges::any_of(generated, [](uint32_t tokens) { return tokens < 4; })) {
      std::vector<PromptState> prompts;
      for (uint32_t i = 0; i < left.size(); ++i) {
        prompts.push_back(prompt(left[i], i));
        prompts.back().first = 2020 - left[i];
      }
      const StepState state = {rows, prompts, {1u << 20}};
      const StepPlan plan = planStep(state, costs.phases, costs, {});
      now += millisecondsOf(plan, state, costs);
      for (uint32_t& tokens : generated) ++tokens;
      for (const PromptRun& run : plan.runs)
        for (const PromptPiece& piece : run.pieces) left[piece.prompt] -= piece.tokens;
      const auto done = static_cast<std::size_t>(std::ranges::count(left, 0u));
      if (done != 0 && rows.empty())
        left.insert(left.end(), branches - 1, 2020 - 1984);
      rows.insert(rows.end(), done, row(2020));
      generated.insert(generated.end(), done, 1u);
      std::erase(left, 0u);
    }
    return now;
  };
  EXPECT_LE(timeOf(4), 1.3 * timeOf(1));
}

// Beside one stream none above a decode step and a run of 64 rows.
TEST(StepPlannerSimulation, OneStreamWaitsForOneNarrowRun) {
  for (const auto& phases : {kPhases, kWithNarrow}) {
    const SimulatedCosts costs(phases);
    for (uint32_t seed = 1; seed <= 10; ++seed) {
      const Simulated seen = simulate(costs, 1, randomArrivals(seed, 12, 3000), 1);
      const double decode = costs.decode({.rows = 2, .sequences = 2, .positions = 40000});
      const double narrow = 0.19 * 64 + 0.8 + 2e-7 * 64 * 8000;
      EXPECT_LE(std::ranges::max(seen.gaps), std::max(3 * decode, decode + narrow)) << "seed " << seed;
    }
  }
}

// Without rows the wide phase works: prompts take the time of their tokens, padding and waiting included.
TEST(StepPlannerSimulation, AnIdleDeviceIsFast) {
  const SimulatedCosts costs(kPhases);
  const Simulated seen = simulate(costs, 0, {{0, 4096}}, 1);
  EXPECT_LT(seen.ttft.at(0), 8 * (0.19 * 512 + 1 + 2e-7 * 512 * 4096));
}

// Finishing one prompt before the next begins beats sharing each run among them, as the mean of the first tokens.
TEST(StepPlannerSimulation, OneAfterAnother) {
  const SimulatedCosts costs(kPhases);
  const Simulated seen = simulate(costs, 0, {{0, 2048}, {0, 2048}, {0, 2048}, {0, 2048}}, 1);
  double mean = 0;
  for (const auto& [index, ttft] : seen.ttft) mean += ttft / 4;
  EXPECT_LT(mean, 0.75 * seen.ttft.at(3));
  EXPECT_LT(seen.ttft.at(0), 0.3 * seen.ttft.at(3));
}

} // namespace
} // namespace llcuda::serving
