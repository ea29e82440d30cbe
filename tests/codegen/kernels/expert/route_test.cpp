// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/expert/route.cuh"

#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "codegen/reference/route.h"
#include "runtime/hostsim/launch.h"

namespace llcuda {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Routed {
  std::vector<int> experts;
  std::vector<float> weights;
};

template <RouteShape kShape>
Routed routed(const std::vector<float>& logits) {
  const size_t rows = logits.size() / kShape.experts;
  Routed made = {std::vector<int>(rows * kShape.choices, -7), std::vector<float>(rows * kShape.choices, kNan)};
  hostsim::launch({.grid = {static_cast<uint32_t>(rows)}, .block = 32},
                  [&] { route<kShape>(logits.data(), made.experts.data(), made.weights.data()); });
  return made;
}

template <RouteShape kShape>
void expectReference(const std::vector<float>& logits) {
  const Routed made = routed<kShape>(logits);
  std::vector<int32_t> experts(made.experts.size());
  std::vector<double> weights(made.weights.size());
  reference::route(logits.data(), logits.size() / kShape.experts, kShape.experts, kShape.choices, kShape.normalized,
                   experts.data(), weights.data());
  EXPECT_EQ(made.experts, experts);
  for (size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(made.weights[i], weights[i], weights[i] / (1 << 19)) << i;
}

std::vector<float> normalLogits(size_t count) {
  std::mt19937 generator(5);
  std::normal_distribution<float> normal(0.f, 3.f);
  std::vector<float> logits(count);
  for (float& x : logits) x = normal(generator);
  return logits;
}

// Fewer experts than lanes, as many as four a lane, and a number that lanes share unevenly.
TEST(Route, Normalized) {
  expectReference<RouteShape{8, 2, true}>(normalLogits(8 * 5));
  expectReference<RouteShape{128, 8, true}>(normalLogits(128 * 3));
  expectReference<RouteShape{60, 4, true}>(normalLogits(60 * 3));
}

TEST(Route, WeightsOfAllExperts) {
  expectReference<RouteShape{8, 2, false}>(normalLogits(8 * 5));
  expectReference<RouteShape{72, 10, false}>(normalLogits(72 * 3));
}

// More choices than a lane has experts; all of them.
TEST(Route, AllExperts) {
  expectReference<RouteShape{8, 8, true}>(normalLogits(8 * 2));
  expectReference<RouteShape{40, 32, false}>(normalLogits(40));
}

// Equal logits in one lane, in different ones, and zeros of both signs.
TEST(Route, TiesGoToTheLowestIndex) {
  std::vector<float> logits(64, -1.f);
  logits[40] = logits[8] = logits[9] = logits[63] = 2.f;
  EXPECT_EQ((routed<RouteShape{64, 3, true}>(logits).experts), (std::vector{8, 9, 40}));
  EXPECT_EQ((routed<RouteShape{4, 4, true}>({-0.f, 0.f, -0.f, 0.f}).experts), (std::vector{0, 1, 2, 3}));
  EXPECT_EQ((routed<RouteShape{33, 2, true}>(std::vector<float>(33, 1.f)).experts), (std::vector{0, 1}));
}

// Linears index weights by what the router says, also in rows that nobody reads.
TEST(Route, LogitsThatAreNoNumbersChooseExpertsAllTheSame) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const std::vector<float>& logits : {std::vector<float>(40, kNan), std::vector<float>(40, -kNan),
                                           std::vector<float>(40, infinity), std::vector<float>(40, -infinity)}) {
    const std::vector<int> experts = routed<RouteShape{40, 6, true}>(logits).experts;
    EXPECT_EQ(std::set<int>(experts.begin(), experts.end()), (std::set{0, 1, 2, 3, 4, 5}));
  }
  std::vector<float> logits(40, kNan);
  logits[39] = -infinity;
  EXPECT_EQ((routed<RouteShape{40, 2, true}>(logits).experts), (std::vector{39, 0}));
}

} // namespace
} // namespace llcuda
