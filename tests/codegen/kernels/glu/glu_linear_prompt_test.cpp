// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/glu/glu_linear_prompt.cuh"

#include "codegen/reference/glu.h"
#include "tests/codegen/kernels/linear/prompt_testing.h"

namespace llcuda {
namespace {

using namespace testing;

template <WeightLayout kLayout, int kInputs, typename Tile, Activation kActivation>
struct GluPrompt {
  int rows, outputs;
  TestWeight gate{kLayout, static_cast<size_t>(outputs), kInputs, 1};
  TestWeight up{kLayout, static_cast<size_t>(outputs), kInputs, 2};
  PromptInput input{static_cast<size_t>(rows), kInputs, 3};
  std::vector<int> positions = std::vector<int>(rows, 0);
  std::vector<float> y = std::vector<float>(rows * outputs, 7.f);
  Int8Rows int8{RowOrder::kFragments, static_cast<size_t>(rows), static_cast<size_t>(outputs)};

  void launch() {
    const hostsim::LaunchShape shape{
        .grid = {uint32_t(ceilDivide(rows, Tile::kRows)), uint32_t(ceilDivide(2 * outputs, Tile::kColumns))},
        .block = Tile::kThreads};
    hostsim::launch(shape, [&] {
      gluLinearPromptOf<kLayout, kInputs, Tile, kActivation>(
          {input.rows(), input.halfRows(), rows}, outputs, gate.blob.data(), up.blob.data(), positions.data(),
          RowOutput<RowForms{.f32 = true, .int8 = true, .order = RowOrder::kFragments}>{y.data(), int8.codes.data(),
                                                                                        int8.scales.data()});
    });
  }

  std::vector<double> reference() const {
    const std::vector<double> x = input.seenBy(kLayout);
    std::vector<double> gates(y.size()), ups(y.size()), wanted(y.size());
    reference::linear<double>(x.data(), gate.values.data(), nullptr, rows, kInputs, outputs, gates.data());
    reference::linear<double>(x.data(), up.values.data(), nullptr, rows, kInputs, outputs, ups.data());
    reference::glu(kActivation, gates.data(), ups.data(), wanted.size(), wanted.data());
    return wanted;
  }
};

// Outputs that end within a tile, rows that end within one; gate and up meet in the warps of one depth or of many.
template <WeightLayout kLayout, int kInputs, typename Tile, Activation kActivation>
void expectGluPrompt(int rows, int outputs) {
  GluPrompt<kLayout, kInputs, Tile, kActivation> glu{rows, outputs};
  glu.launch();
  const std::vector<double> wanted = glu.reference();
  EXPECT_LE(nmse(glu.y, wanted), kF16Error);
  EXPECT_LE(nmse(glu.int8.values(), wanted), 1e-4);
  EXPECT_TRUE(glu.int8.areConsistent());
}

TEST(GluLinearPrompt, Silu) {
  expectGluPrompt<WeightLayout::kQ4_KPlanes, 256, PromptTile<PromptCut{64, 128, 1, 4}>, Activation::kSilu>(70, 96);
}
TEST(GluLinearPrompt, GeluTanh) {
  expectGluPrompt<WeightLayout::kF16Rows, 96, PromptTile<PromptCut{64, 64, 2, 2}>, Activation::kGeluTanh>(65, 64);
}
// Of the rows of a tile shared memory has 64 at a time, of warps that stand above each other or that have all of them.
TEST(GluLinearPrompt, TallTiles) {
  expectGluPrompt<WeightLayout::kF16Rows, 96, PromptTile<PromptCut{128, 128, 2, 4}>, Activation::kSilu>(140, 96);
  expectGluPrompt<WeightLayout::kQ8_0Planes, 96, PromptTile<PromptCut{128, 64, 1, 2}>, Activation::kSilu>(120, 32);
}
TEST(GluLinearPrompt, DeepTile) {
  expectGluPrompt<WeightLayout::kQ5_0Planes, 160, PromptTile<PromptCut{16, 64, 1, 2, 4}>, Activation::kSilu>(9, 96);
}

// Tiles of padding keep what they held.
TEST(GluLinearPrompt, SkipsTilesOfPadding) {
  GluPrompt<WeightLayout::kQ5_0Planes, 160, PromptTile<PromptCut{16, 64, 1, 2, 4}>, Activation::kSilu> glu{32, 32};
  std::fill_n(glu.positions.begin(), 16, -1);
  glu.launch();
  for (int i = 0; i < 16 * 32; ++i) ASSERT_EQ(glu.y[i], 7.f);
  EXPECT_NE(glu.y[16 * 32], 7.f);
}

} // namespace
} // namespace llcuda
