// SPDX-License-Identifier: Apache-2.0
#include "tests/codegen/kernels/linear/prompt_testing.h"

namespace llcuda {
namespace {

using namespace testing;
using enum WeightLayout;

using Square = PromptTile<PromptCut{64, 64, 2, 2}>;
using Wide = PromptTile<PromptCut{64, 128, 1, 4}>;
using Large = PromptTile<PromptCut{128, 128, 2, 4}>;
using Tall = PromptTile<PromptCut{128, 64, 2, 2}>;
using Low = PromptTile<PromptCut{16, 32, 1, 1, 4}>;
using Middle = PromptTile<PromptCut{32, 64, 1, 2, 4}>;
using HalfMiddle = PromptTile<PromptCut{32, 64, 1, 2, 2}>;

// Rows, outputs and inputs that are no whole tiles, with every epilogue, in every shape of tile.
TEST(LinearPrompt, Int8Rows) {
  expectPromptLinear<kQ4_0Planes, 96, Square>(70, 72, Epilogue::kResidual);
  expectPromptLinear<kQ4_1Planes, 160, Wide>(64, 251, Epilogue::kBoth);
  expectPromptLinear<kQ8_0Planes, 576, Large>(130, 129, Epilogue::kNone);
  expectPromptLinear<kQ6_KPlanes, 256, Square>(65, 65, Epilogue::kBias);
}
TEST(LinearPrompt, HalfRows) {
  expectPromptLinear<kF16Rows, 96, Square>(70, 72, Epilogue::kResidual);
  expectPromptLinear<kF16Rows, 32, Large>(140, 129, Epilogue::kBias);
  expectPromptLinear<kNf4ShortPlanes, 160, Wide>(33, 131, Epilogue::kBoth);
}
TEST(LinearPrompt, F32Rows) {
  expectPromptLinear<kF32Rows, 96, PromptTile<PromptCut{64, 32, 4, 1}>>(70, 37, Epilogue::kBoth);
  expectPromptLinear<kF32Rows, 64, PromptTile<PromptCut{32, 64, 2, 2}>>(9, 70);
}

// Warps that share the inputs: some with a step more than others or with none, steps of two and of four units, and
// tiles whose warps also stand side by side.
TEST(LinearPrompt, DeepTiles) {
  expectPromptLinear<kQ4_KPlanes, 1280, Low>(16, 40, Epilogue::kNone);
  expectPromptLinear<kQ4_1Planes, 128, Low>(11, 64, Epilogue::kNone);
  expectPromptLinear<kQ5_KPlanes, 512, PromptTile<PromptCut{48, 32, 1, 1, 4}>>(40, 70, Epilogue::kResidual);
  expectPromptLinear<kQ8_0Planes, 576, Low>(16, 33, Epilogue::kResidual);
  expectPromptLinear<kQ2_KPlanes, 512, Middle>(32, 97, Epilogue::kBias);
  expectPromptLinear<kF16Rows, 160, Low>(9, 40, Epilogue::kBoth);
  expectPromptLinear<kF16Rows, 1216, Low>(16, 33, Epilogue::kNone);
  expectPromptLinear<kNf4Planes, 192, HalfMiddle>(20, 64);
}

// Codes at the ends of their range: an accumulator that starts at the bits of a float must not leave its exponent.
TEST(LinearPrompt, LargestCodes) {
  PromptLinear<kQ8_0Planes, 64, Low> linear{16, 64};
  linear.input = PromptInput(std::vector<float>(16 * 64, -3.f), 16, 64);
  std::memset(linear.weight.blob.data(), 0x80, 64 * 64);
  pack::unpack(kQ8_0Planes, 64, 64, std::as_bytes(std::span(linear.weight.blob)), linear.weight.values.data());
  EXPECT_LE(linear.errors().sameInput, kF32Error);
}

// Minimums go through f16, whatever the size of the rows: of Gemma's largest, of rows near zero, and of both in one.
TEST(LinearPrompt, MinimumsOfRowsOfAnySize) {
  for (const float size : {3e5f, 1.f, 1e-3f, 1e-5f}) {
    PromptLinear<kQ4_KPlanes, 256, Tall> linear{128, 64};
    std::vector<float> x = normalFloats(128 * 256, 16, size);
    for (float& value : x) value = value < 0 ? 0.25f * value : value; // sums that do not cancel
    std::fill_n(x.begin(), 256, 0.f);
    linear.input = PromptInput(x, 128, 256);
    EXPECT_LE(linear.errors().sameInput, size < 1e-4f ? 1e-9 : kF32Error) << "around " << size;
  }
}

// Gemma has activations near 800,000, far beyond f16, beside rows that are far below its normal numbers.
TEST(LinearPrompt, HalfRowsOfAnySize) {
  for (const float size : {8e5f, 1e30f, 1e-6f, 1e-30f}) {
    PromptLinear<kF16Rows, 96, Square> linear{64, 64};
    std::vector<float> x = normalFloats(64 * 96, 15, size);
    std::fill_n(x.begin(), 96, 0.f);
    x[7] = 100.f * size;
    linear.input = PromptInput(x, 64, 96);
    EXPECT_LE(linear.errors().wholeLinear, kF16Error) << "around " << size;
  }
}

// A tile of padding keeps what y held; a tile with one row in use is made.
TEST(LinearPrompt, SkipsTilesOfPadding) {
  PromptLinear<kQ4_1Planes, 160, Wide> linear{192, 64};
  std::fill(linear.positions.begin(), linear.positions.end(), -1);
  linear.positions[100] = 7;
  const std::vector<float> before = linear.y;
  linear.launch(Epilogue::kNone);
  for (size_t i = 0; i < before.size(); ++i) {
    const size_t tile = i / 64 / 64;
    if (tile != 1)
      ASSERT_EQ(linear.y[i], before[i]);
    else
      ASSERT_NE(linear.y[i], before[i]);
  }
}

} // namespace
} // namespace llcuda
