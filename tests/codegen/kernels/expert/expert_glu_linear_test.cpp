// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/expert/expert_glu_linear.cuh"

#include <gtest/gtest.h>

#include "codegen/reference/glu.h"
#include "codegen/reference/linear.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"

namespace llcuda {
namespace {

using namespace testing;

constexpr double kSameInput = 1e-11; // f32 sums against double

/// Choices of three rows; the last expert is nobody's, one is that of two rows, and one is chosen twice by a row.
const std::vector<int> kChosen = {3, 0, 1, 3, 2, 2};
constexpr RowForms kBoth = {.f32 = true, .int8 = true}, kFloat = {.f32 = true};

template <GluWeights kWeights, ExpertShape kShape, DecodeCut kCut, Activation kActivation, RowForms kForms, bool kBias>
void expectGated() {
  const size_t rows = kChosen.size() / kShape.choices, outputs = kShape.n, all = size_t{kShape.experts} * outputs;
  const TestWeight gate(kWeights.gate, all, kShape.k, 1), up(kWeights.up, all, kShape.k, 2);
  const TestRows x(rows, kShape.k, 3);
  const std::vector<float> gateBias = normalFloats(all, 4), upBias = normalFloats(all, 5);
  std::vector<float> y(kChosen.size() * outputs + 1, 7.f); // one more, to see that nothing is written past the end
  Int8Rows int8(RowOrder::kRows, kChosen.size(), outputs);
  const hostsim::LaunchShape shape = {.grid = {kShape.n / 32, static_cast<uint32_t>(kChosen.size()), 1},
                                      .block = kCut.slices * 64};
  hostsim::launch(shape, [&] {
    expertGluLinear<kWeights, kShape, kCut, kActivation, kForms, kBias>(
        gate.blob.data(), up.blob.data(), x.x.data(), x.codes.data(), x.scaleData(), kChosen.data(),
        kBias ? gateBias.data() : nullptr, kBias ? upBias.data() : nullptr, y.data(), int8.codes.data(),
        int8.scales.data());
  });
  EXPECT_EQ(y.back(), 7.f);
  y.pop_back();
  std::vector<double> wanted(y.size());
  for (size_t c = 0; c < kChosen.size(); ++c) {
    const size_t row = c / kShape.choices, first = size_t(kChosen[c]) * outputs;
    std::vector<double> sides[2];
    for (int side = 0; side < 2; ++side) {
      const TestWeight& weight = side == 0 ? gate : up;
      const std::vector<double> seen = x.seenBy(side == 0 ? kWeights.gate : kWeights.up);
      sides[side].resize(outputs);
      reference::linear(seen.data() + row * kShape.k, weight.values.data() + first * kShape.k,
                        kBias ? (side == 0 ? gateBias : upBias).data() + first : nullptr, 1, kShape.k, kShape.n,
                        sides[side].data());
    }
    reference::glu(kActivation, sides[0].data(), sides[1].data(), outputs, wanted.data() + c * outputs);
  }
  EXPECT_LE(nmse(y, wanted), kSameInput);
  if (kForms.int8) {
    EXPECT_LE(nmse(int8.values(), wanted), 1e-4);
    EXPECT_TRUE(int8.areConsistent());
  }
}

TEST(ExpertGluLinear, FloatRows) {
  expectGated<GluWeights{WeightLayout::kF16Rows, WeightLayout::kF16Rows}, ExpertShape{5, 2, 64, 96}, DecodeCut{2, 1},
              Activation::kSilu, kFloat, false>();
}

TEST(ExpertGluLinear, Int8Rows) {
  expectGated<GluWeights{WeightLayout::kQ4_KPlanes, WeightLayout::kQ4_KPlanes}, ExpertShape{5, 2, 64, 256},
              DecodeCut{1, 2}, Activation::kSilu, kBoth, false>();
}

// Weights of two layouts, one of which reads f32 rows.
TEST(ExpertGluLinear, TwoLayouts) {
  expectGated<GluWeights{WeightLayout::kQ8_0Planes, WeightLayout::kF16Rows}, ExpertShape{4, 2, 32, 64}, DecodeCut{2, 1},
              Activation::kGeluTanh, kBoth, false>();
}

TEST(ExpertGluLinear, SwigluOaiWithBiases) {
  expectGated<GluWeights{WeightLayout::kMXFP4Planes, WeightLayout::kMXFP4Planes}, ExpertShape{5, 3, 96, 96},
              DecodeCut{3, 1}, Activation::kSwigluOai, kBoth, true>();
  expectGated<GluWeights{WeightLayout::kF32Rows, WeightLayout::kF32Rows}, ExpertShape{5, 2, 32, 64}, DecodeCut{2, 2},
              Activation::kSwigluOai, kFloat, true>();
}

} // namespace
} // namespace llcuda
