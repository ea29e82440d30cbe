// SPDX-License-Identifier: Apache-2.0
// Each reference against values worked out by hand or by another route.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "codegen/reference/add.h"
#include "codegen/reference/attention.h"
#include "codegen/reference/delta_rule.h"
#include "codegen/reference/embedding.h"
#include "codegen/reference/glu.h"
#include "codegen/reference/layer_norm.h"
#include "codegen/reference/linear.h"
#include "codegen/reference/log_softmax.h"
#include "codegen/reference/quantize_rows.h"
#include "codegen/reference/rms_norm.h"
#include "codegen/reference/rope.h"
#include "codegen/reference/rope_table.h"
#include "codegen/reference/short_conv.h"
#include "codegen/reference/softcap.h"

namespace llcuda::reference {
namespace {

using ::testing::ElementsAre;

// A loud row beside a quiet one: a mean over both would silence the quiet one.
TEST(RmsNorm, RowsDoNotMix) {
  const std::vector<float> x = {300, 400, 0.03f, 0.04f}, scale = {1, 2};
  std::vector<double> y(4);
  rmsNorm<double>(x.data(), scale.data(), 2, 2, 0, y.data());
  const double rms = std::sqrt(0.5);
  EXPECT_NEAR(y[0], 0.6 / rms, 1e-12);
  EXPECT_NEAR(y[1], 1.6 / rms, 1e-12);
  EXPECT_NEAR(y[2], 0.6 / rms, 1e-7);
  EXPECT_NEAR(y[3], 1.6 / rms, 1e-7);
}

TEST(RmsNorm, EpsIsInsideTheRoot) {
  const std::vector<float> x = {1, 1}, scale = {1, 1};
  std::vector<double> y(2);
  rmsNorm<double>(x.data(), scale.data(), 1, 2, 3, y.data());
  EXPECT_DOUBLE_EQ(y[0], 0.5);
}

TEST(Linear, RowsTimesOutputs) {
  const std::vector<float> x = {1, 2, 3, 4, 5, 6}, weight = {1, 0, 0, 1, 1, 1}, bias = {10, 20};
  std::vector<double> y(4);
  linear<double>(x.data(), weight.data(), bias.data(), 2, 3, 2, y.data());
  EXPECT_THAT(y, ElementsAre(11, 26, 14, 35));
}

// Elements beyond a multiple of the lanes belong to the sum too.
TEST(Linear, OddLengths) {
  const std::vector<float> ones(37, 1);
  EXPECT_EQ(dot<double>(ones.data(), ones.data(), 37), 37);
}

TEST(RopeTable, FirstPairTurnsByThePosition) {
  const std::vector<float> table = ropeTable(ropeFrequencies(4, 100), 1, 3);
  EXPECT_FLOAT_EQ(table[2 * 4 + 0], std::cos(2.0));
  EXPECT_FLOAT_EQ(table[2 * 4 + 1], std::sin(2.0));
  EXPECT_FLOAT_EQ(table[2 * 4 + 2], std::cos(0.2));
  EXPECT_FLOAT_EQ(table[2 * 4 + 3], std::sin(0.2));
}

// By steps: nothing before the period ends, ln 2 and ln 3 after it.
TEST(RopeTable, MagnitudeGrowsWithThePosition) {
  const std::vector<double> still = {0};
  const std::vector<float> table = ropeTable(still, 2, 9, {.rate = 0.5, .period = 4});
  for (size_t p = 0; p < 9; ++p) {
    EXPECT_FLOAT_EQ(table[2 * p], 2 * (1 + 0.5f * std::log(1 + static_cast<float>(p / 4)))) << p;
    EXPECT_EQ(table[2 * p + 1], 0);
  }
}

TEST(RopeTable, MagnitudeMultipliesBoth) {
  const std::vector<float> table = ropeTable(std::vector<double>{0.125}, 2, 9);
  EXPECT_FLOAT_EQ(table[16], 2 * std::cos(1.0));
  EXPECT_FLOAT_EQ(table[17], 2 * std::sin(1.0));
}

// Both styles turn the same pairs once the elements are put side by side.
TEST(Rope, StylesDifferByAPermutation) {
  const std::vector<float> table = ropeTable(ropeFrequencies(4, 10000), 1, 4);
  const std::vector<float> adjacent = {1, 3, 2, 4, 9}, halves = {1, 2, 3, 4, 9};
  const std::vector<int32_t> positions = {3};
  std::vector<double> a(5), h(5);
  rope<double>(adjacent.data(), table.data(), positions.data(), RopePairs::kAdjacent, 1, 1, 5, 4, a.data());
  rope<double>(halves.data(), table.data(), positions.data(), RopePairs::kHalves, 1, 1, 5, 4, h.data());
  EXPECT_THAT(a, ElementsAre(h[0], h[2], h[1], h[3], 9));
  EXPECT_NEAR(a[0], std::cos(3.0) - 3 * std::sin(3.0), 1e-6);
  EXPECT_NEAR(a[1], std::sin(3.0) + 3 * std::cos(3.0), 1e-6);
}

TEST(Rope, PaddingStaysAsItIs) {
  const std::vector<float> table = ropeTable(ropeFrequencies(2, 10000), 1, 1), x = {5, 6};
  const std::vector<int32_t> positions = {-1};
  std::vector<double> y(2);
  rope<double>(x.data(), table.data(), positions.data(), RopePairs::kAdjacent, 1, 1, 2, 2, y.data());
  EXPECT_THAT(y, ElementsAre(5, 6));
}

// Equal scores: the answer is the mean of the values that are seen.
TEST(Attention, CausalAndWindow) {
  const std::vector<float> q(3, 0.f), k = {1, 1, 1}, v = {3, 6, 12};
  const std::vector<int32_t> positions = {0, 1, 2};
  std::vector<double> y(3);
  attention<double>({.heads = 1, .kvHeads = 1, .headSize = 1}, CausalAttention{}, q.data(), k.data(), v.data(),
                    positions.data(), 3, y.data());
  EXPECT_THAT(y, ElementsAre(3, 4.5, 7));
  attention<double>({.heads = 1, .kvHeads = 1, .headSize = 1}, CausalAttention{.window = 2}, q.data(), k.data(),
                    v.data(), positions.data(), 3, y.data());
  EXPECT_THAT(y, ElementsAre(3, 4.5, 9));
}

// Heads 0 and 1 read the first kv head, 2 and 3 the second.
TEST(Attention, GroupsShareAKvHead) {
  const std::vector<float> q(4, 0.f), k = {0, 0}, v = {5, 7};
  const std::vector<int32_t> positions = {0};
  std::vector<double> y(4);
  attention<double>({.heads = 4, .kvHeads = 2, .headSize = 1}, CausalAttention{}, q.data(), k.data(), v.data(),
                    positions.data(), 1, y.data());
  EXPECT_THAT(y, ElementsAre(5, 5, 7, 7));
}

// Two keys of score 0 and a sink of ln 2: a quarter of the weight each, and half for nothing.
TEST(Attention, ASinkTakesWeight) {
  const std::vector<float> q(2, 0.f), k = {0, 0}, v = {4, 8}, sinks = {std::log(2.f), -1000.f};
  const std::vector<int32_t> positions = {1};
  std::vector<double> y(2);
  attention<double>({.heads = 2, .kvHeads = 1, .headSize = 1}, CausalAttention{.sinks = sinks.data()}, q.data(),
                    k.data(), v.data(), positions.data(), 1, y.data());
  EXPECT_NEAR(y[0], 3, 1e-6);
  EXPECT_NEAR(y[1], 6, 1e-12);
}

TEST(Attention, SoftcapBoundsTheScore) {
  const std::vector<float> q = {1000}, k = {0, 1}, v = {0, 1};
  const std::vector<int32_t> positions = {1};
  std::vector<double> y(1);
  attention<double>({.heads = 1, .kvHeads = 1, .headSize = 1}, CausalAttention{.softcap = 2}, q.data(), k.data(),
                    v.data(), positions.data(), 1, y.data());
  EXPECT_NEAR(y[0], std::exp(2) / (1 + std::exp(2)), 1e-12);
}

// The row of the middle sees all keys; within a window of 3 the first sees the one behind it, and not the last.
TEST(Attention, BothWays) {
  const std::vector<float> q(3, 0.f), k = {1, 1, 1}, v = {3, 6, 12};
  const std::vector<int32_t> positions = {0, 1, 2};
  std::vector<double> y(3);
  attention<double>({.heads = 1, .kvHeads = 1, .headSize = 1}, TwoWayAttention{.length = 3}, q.data(), k.data(),
                    v.data(), positions.data(), 3, y.data());
  EXPECT_THAT(y, ElementsAre(7, 7, 7));
  attention<double>({.heads = 1, .kvHeads = 1, .headSize = 1}, TwoWayAttention{{.window = 3}, 3}, q.data(), k.data(),
                    v.data(), positions.data(), 3, y.data());
  EXPECT_THAT(y, ElementsAre(4.5, 7, 9));
}

// Mean 2, variance 1.
TEST(LayerNorm, AboutTheMean) {
  const std::vector<float> x = {1, 3, 1, 3}, scale = {1, 2, 1, 2}, shift = {0, 0, 5, 5};
  std::vector<double> y(4);
  layerNorm(x.data(), scale.data(), shift.data(), 1, 4, 0., y.data());
  EXPECT_THAT(y, ElementsAre(-1, 2, 4, 7));
  layerNorm(x.data(), scale.data(), static_cast<const float*>(nullptr), 1, 4, 3., y.data());
  EXPECT_THAT(y, ElementsAre(-0.5, 1, -0.5, 1));
}

TEST(Glu, Activations) {
  EXPECT_NEAR(activate(Activation::kSilu, 1.0), 1 / (1 + std::exp(-1)), 1e-15);
  EXPECT_NEAR(activate(Activation::kSilu, -800.0), 0, 1e-15);
  EXPECT_NEAR(activate(Activation::kSigmoid, 1.0), 1 / (1 + std::exp(-1)), 1e-15);
  EXPECT_NEAR(activate(Activation::kGeluTanh, 1.0), 0.84119199060827676, 1e-12);
  EXPECT_NEAR(activate(Activation::kGeluErf, 1.0), 0.84134474606854293, 1e-15);
  EXPECT_NEAR(activate(Activation::kGeluErf, -1.0), -0.15865525393145707, 1e-15);
  EXPECT_NEAR(activate(Activation::kTanh, 0.5), std::tanh(0.5), 1e-15);
  const std::vector<float> gate = {0, 100}, up = {5, 2};
  std::vector<double> y(2);
  glu<double>(Activation::kGeluTanh, gate.data(), up.data(), 2, y.data());
  EXPECT_THAT(y, ElementsAre(0, 200));
  // Gates past 7 and ups past 7 either way count as that.
  const std::vector<float> gates = {1, 9, -2, 7}, ups = {0.5, 8, -9, 7};
  std::vector<double> clamped(4);
  glu<double>(Activation::kSwigluOai, gates.data(), ups.data(), 4, clamped.data());
  EXPECT_NEAR(clamped[0], 1.5 / (1 + std::exp(-1.702)), 1e-12);
  EXPECT_NEAR(clamped[1], 56 / (1 + std::exp(-1.702 * 7)), 1e-12);
  EXPECT_NEAR(clamped[2], 12 / (1 + std::exp(1.702 * 2)), 1e-12);
  EXPECT_EQ(clamped[3], clamped[1]);
}

// Two positions of a sequence that has no third: what is missing counts as zeros.
TEST(ShortConv, TheNewestTapIsTheLast) {
  const double older[] = {1, 10}, newer[] = {2, 20};
  const double* u[] = {nullptr, older, newer};
  const float taps[] = {100, 3, 5, 100, 0.5, 0.25};
  double y[2];
  shortConv<double>(u, taps, 2, 3, false, y);
  EXPECT_DOUBLE_EQ(y[0], 3 * 1 + 5 * 2);
  EXPECT_DOUBLE_EQ(y[1], 0.5 * 10 + 0.25 * 20);
  shortConv<double>(u, taps, 2, 3, true, y);
  EXPECT_NEAR(y[1], 10 / (1 + std::exp(-10.)), 1e-12);
}

// A key that was learnt is recalled; learning it anew replaces its value instead of adding to it.
TEST(DeltaRule, AValueIsReplaced) {
  const DeltaRuleShape shape = {1, 1, 2, false, false};
  double state[4] = {}, query[2], key[2], y[2];
  const float first[] = {1, 0, 1, 0, 5, 7}, second[] = {1, 0, 2, 0, -1, 3}; // query, key, value
  const auto step = [&](const float* x, double decay, double beta) {
    deltaRule<double>(shape, 0, x, decay, beta, -1, 0, state, query, key, y);
  };
  const double root = std::sqrt(2.);
  step(first, -100, 100); // keeps all and counts in full
  EXPECT_NEAR(y[0], 5 / root, 1e-5);
  EXPECT_NEAR(y[1], 7 / root, 1e-5);
  step(second, -100, 100);
  EXPECT_NEAR(y[0], -1 / root, 1e-5);
  EXPECT_NEAR(y[1], 3 / root, 1e-5);
  step(first, 100, -100); // forgets all and learns nothing
  EXPECT_NEAR(y[0], 0, 1e-12);
}

TEST(Embedding, RowsOfTheTable) {
  const std::vector<float> table = {1, 2, 3, 4};
  const std::vector<int32_t> tokens = {1, 0, 1};
  std::vector<double> y(6);
  embedding<double>(table.data(), tokens.data(), 10, 3, 2, y.data());
  EXPECT_THAT(y, ElementsAre(30, 40, 10, 20, 30, 40));
}

TEST(Softcap, IsTanh) {
  const std::vector<float> x = {3, -1e6f};
  std::vector<double> y(2);
  softcap<double>(x.data(), 30, 2, y.data());
  EXPECT_NEAR(y[0], 30 * std::tanh(0.1), 1e-7);
  EXPECT_EQ(y[1], -30);
}

TEST(QuantizeRows, CodesScalesAndSums) {
  std::vector<float> x(64, 0.f);
  x[0] = 254, x[1] = -127, x[2] = 1, x[3] = 3; // 1 and 3 lie half way between codes: ties go to the even one
  std::vector<int8_t> codes(64);
  std::vector<RowScale> scales(2);
  quantizeRows(x.data(), 1, 64, codes.data(), scales.data());
  EXPECT_EQ(scales[0].d, 2);
  EXPECT_EQ(codes[0], 127);
  EXPECT_EQ(codes[1], -64);
  EXPECT_EQ(codes[2], 0);
  EXPECT_EQ(codes[3], 2);
  EXPECT_EQ(scales[0].dSum, 2 * (127 - 64 + 2));
  EXPECT_EQ(scales[1].d, 0);
  std::vector<double> back(64);
  dequantizeRows(codes.data(), scales.data(), 64, back.data());
  EXPECT_EQ(back[1], -128);
}

TEST(LogSoftmax, SumsToOneAndSurvivesLargeValues) {
  const std::vector<float> x = {1000, 1001, 1002};
  std::vector<double> y(3);
  logSoftmax(x.data(), 3, y.data());
  EXPECT_NEAR(std::exp(y[0]) + std::exp(y[1]) + std::exp(y[2]), 1, 1e-12);
  EXPECT_NEAR(y[2] - y[0], 2, 1e-12);
}

TEST(TopK, LowestIndexWinsATie) {
  const std::vector<float> x = {1, 3, 2, 3};
  EXPECT_THAT(topK(x.data(), 4, 3), ElementsAre(1, 3, 2));
}

} // namespace
} // namespace llcuda::reference
