// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/expert/expert_linear.cuh"

#include <gtest/gtest.h>

#include "codegen/kernels/expert/expert_sum.cuh"
#include "codegen/reference/expert_sum.h"
#include "codegen/reference/linear.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"

namespace llcuda {
namespace {

using namespace testing;

constexpr double kSameInput = 1e-11; // f32 sums against double

/// Choices of three rows; the last expert is nobody's, one is that of two rows, and one is chosen twice by a row.
const std::vector<int> kChosen = {3, 0, 1, 3, 2, 2};

template <WeightLayout kLayout, ExpertShape kShape, DecodeCut kCut, bool kBias>
void expectProducts() {
  const size_t rows = kChosen.size() / kShape.choices, inputRows = kShape.each ? kChosen.size() : rows;
  const TestWeight weight(kLayout, size_t{kShape.experts} * kShape.n, kShape.k, 1);
  const TestRows x(inputRows, kShape.k, 2);
  const std::vector<float> bias = normalFloats(size_t{kShape.experts} * kShape.n, 3);
  std::vector<float> y(kChosen.size() * kShape.n + 1, 7.f); // one more, to see that nothing is written past the end
  hostsim::launch({.grid = {kShape.n / 32, static_cast<uint32_t>(kChosen.size()), 1}, .block = kCut.slices * 32}, [&] {
    expertLinear<kLayout, kShape, kCut, kBias>(weight.blob.data(), x.x.data(), x.codes.data(), x.scaleData(),
                                               kChosen.data(), kBias ? bias.data() : nullptr, y.data());
  });
  EXPECT_EQ(y.back(), 7.f);
  y.pop_back();
  const std::vector<double> seen = x.seenBy(kLayout);
  std::vector<double> wanted(y.size());
  for (size_t c = 0; c < kChosen.size(); ++c) {
    const size_t row = kShape.each ? c : c / kShape.choices, first = size_t(kChosen[c]) * kShape.n;
    reference::linear(seen.data() + row * kShape.k, weight.values.data() + first * kShape.k,
                      kBias ? bias.data() + first : nullptr, 1, kShape.k, kShape.n, wanted.data() + c * kShape.n);
  }
  EXPECT_LE(nmse(y, wanted), kSameInput);
}

// A row for all of its choices, and one for each.
TEST(ExpertLinear, F16) {
  expectProducts<WeightLayout::kF16Rows, ExpertShape{5, 2, 64, 96, false}, DecodeCut{2, 1}, false>();
  expectProducts<WeightLayout::kF16Rows, ExpertShape{5, 2, 64, 96, true}, DecodeCut{2, 1}, false>();
}

TEST(ExpertLinear, Int8Rows) {
  expectProducts<WeightLayout::kQ8_0Planes, ExpertShape{5, 2, 32, 64, false}, DecodeCut{1, 2}, false>();
  expectProducts<WeightLayout::kQ8_0Planes, ExpertShape{5, 2, 32, 64, true}, DecodeCut{2, 1}, false>();
}

// Planes that lie apart, and records of 256 weights.
TEST(ExpertLinear, Records) {
  expectProducts<WeightLayout::kQ4_KPlanes, ExpertShape{4, 2, 64, 512, false}, DecodeCut{2, 4}, false>();
  expectProducts<WeightLayout::kQ6_KPlanes, ExpertShape{4, 2, 32, 256, true}, DecodeCut{1, 2}, false>();
}

TEST(ExpertLinear, Bias) {
  expectProducts<WeightLayout::kMXFP4Planes, ExpertShape{5, 3, 64, 96, false}, DecodeCut{1, 2}, true>();
  expectProducts<WeightLayout::kF32Rows, ExpertShape{5, 2, 32, 64, true}, DecodeCut{2, 2}, true>();
}

// Columns that the last block has fewer threads' worth of.
TEST(ExpertSum, AddsChoicesByTheirWeights) {
  constexpr int kColumns = 36, kChoices = 3, kRows = 4;
  const std::vector<float> x = normalFloats(kRows * kChoices * kColumns, 1), w = normalFloats(kRows * kChoices, 2);
  std::vector<float> y(kRows * kColumns);
  hostsim::launch({.grid = {1, kRows, 1}, .block = 32}, [&] {
    expertSum<ExpertSumShape{kChoices, kColumns, 32}>(x.data(), w.data(), y.data());
  });
  std::vector<double> wanted(y.size());
  reference::expertSum(x.data(), w.data(), kRows, kChoices, kColumns, wanted.data());
  EXPECT_LE(nmse(y, wanted), kSameInput);
}

} // namespace
} // namespace llcuda
