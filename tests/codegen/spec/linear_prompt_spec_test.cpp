// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/linear_prompt_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/spec/sample_spec.h"

namespace llcuda::codegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> names(const LaunchSpec& launch) {
  std::vector<std::string> result;
  for (const Param& param : launch.kernel.params) result.push_back(param.name);
  return result;
}

// The plan binds arguments by these names and in this order.
TEST(LinearPromptSpec, Parameters) {
  const LaunchSpec quantised = linearPromptLaunch({WeightLayout::kQ4_1Planes, 512, 576, 192, false, true});
  EXPECT_EQ(quantised.kernel.name(), "linear_prompt__q4_1__r512_k576_n192_residual__r64_n64_t128");
  EXPECT_THAT(names(quantised), ElementsAre("weight", "x_codes", "x_scales", "positions", "residual", "y"));
  const LaunchSpec half = linearPromptLaunch({WeightLayout::kF16Rows, 512, 576, 192, true, false});
  EXPECT_THAT(names(half), ElementsAre("weight", "x", "positions", "bias", "y"));
  EXPECT_THAT(half.kernel.source(), HasSubstr("{bias, nullptr, y}"));
}

// The tile follows the chunk's height, and is wide only where wide tiles still fill the machine.
TEST(LinearPromptSpec, Tiles) {
  const auto tile = [](WeightLayout layout, uint32_t rows, uint32_t outputs) {
    return linearPromptLaunch({layout, rows, 576, outputs, false, false});
  };
  EXPECT_EQ(tile(WeightLayout::kQ8_0Planes, 9, 576).kernel.tile, "r16_n128_t128");
  EXPECT_EQ(tile(WeightLayout::kQ8_0Planes, 17, 576).kernel.tile, "r32_n128_t128");
  EXPECT_EQ(tile(WeightLayout::kQ8_0Planes, 512, 576).kernel.tile, "r64_n64_t128");
  EXPECT_EQ(tile(WeightLayout::kQ8_0Planes, 512, 1536).kernel.tile, "r64_n128_t256");
  EXPECT_EQ(tile(WeightLayout::kF32Rows, 512, 1536).kernel.tile, "r64_n32_t128");
  const LaunchSpec odd = tile(WeightLayout::kQ8_0Planes, 65, 577);
  EXPECT_EQ(odd.grid.x, 2u);
  EXPECT_EQ(odd.grid.y, 10u);
}

TEST(LinearPromptSpec, RefusesByName) {
  const auto result = checkLinearPrompt({WeightLayout::kF16Rows, 8, 100, 64, false, false});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("100 inputs"));
}

TEST(SampleSpec, DecodeAndPrompt) {
  const LaunchSpec decode = sampleLaunch({2, 49152, true});
  EXPECT_EQ(decode.kernel.name(), "sample__decode__v49152__b12_t512");
  EXPECT_THAT(names(decode),
              ElementsAre("logits", "sampling", "tokens", "positions", "partial", "arrivals", "sampled"));
  EXPECT_EQ(decode.grid.x, 12u);
  EXPECT_EQ(decode.grid.y, 2u);
  EXPECT_EQ(samplePartialBytes({2, 49152, true}), 2u * 12 * 8);
  EXPECT_EQ(sampleArrivals({2, 49152, true}), 2u);
  EXPECT_THAT(names(sampleLaunch({1, 49152, false})),
              ElementsAre("logits", "sampling", "output_rows", "partial", "arrivals", "sampled"));
  EXPECT_THAT(checkSample({1, 1u << 23, true}).error().message, HasSubstr("8388608 logits"));
}

} // namespace
} // namespace llcuda::codegen
