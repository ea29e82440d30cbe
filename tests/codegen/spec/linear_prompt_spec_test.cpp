// SPDX-License-Identifier: Apache-2.0
// The linears of tensor cores.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/spec/sample_spec.h"
#include "tests/codegen/linear_descs.h"

namespace llcuda::codegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::string> names(const LaunchSpec& launch) {
  std::vector<std::string> result;
  for (const Param& param : launch.kernel.params) result.push_back(param.name);
  return result;
}

/// Rows, columns and threads of the tile that a launch has: "r64_n64_t128".
std::string tileOf(const LaunchSpec& launch) {
  const PromptTile tile = choosePromptTile(std::get<PromptTileRequest>(launch.tileRequest));
  return "r" + std::to_string(tile.rows) + "_n" + std::to_string(tile.columns) + "_t" +
         std::to_string(launch.kernel.threads);
}

// The plan binds arguments by these names and in this order.
TEST(LinearPromptSpec, Parameters) {
  const LaunchSpec quantised =
      linearLaunch(manyRows(linearOf(WeightLayout::kQ4_1Planes, 512, 576, 192, StoreRows{.residual = true})));
  EXPECT_THAT(quantised.kernel.name, StartsWith("linear_prompt__q4_1__m512_n192_k576__r64_c64_down1_across2_deep2__"));
  EXPECT_THAT(names(quantised), ElementsAre("weight", "x_codes", "x_scales", "positions", "residual", "y"));
  const LaunchSpec half = linearLaunch(biased(manyRows(linearOf(WeightLayout::kF16Rows, 512, 576, 192))));
  EXPECT_THAT(names(half), ElementsAre("weight", "x_halves", "x_half_scales", "positions", "bias", "y"));
  EXPECT_THAT(half.kernel.source(),
              HasSubstr("(weight, nullptr, nullptr, nullptr, x_halves, x_half_scales, positions, bias, nullptr, y)"));
  EXPECT_THAT(names(linearLaunch(manyRows(linearOf(WeightLayout::kF32Rows, 512, 576, 192)))),
              ElementsAre("weight", "x", "positions", "y"));
}

TEST(LinearPromptSpec, JoinedParameters) {
  LinearDesc mixed = manyRows(qkvOf(WeightLayout::kQ4_1Planes, WeightLayout::kF16Rows, 512, 576, 576, 200));
  mixed.parts[1].layout = WeightLayout::kQ8_0Planes;
  const LaunchSpec qkv = linearLaunch(mixed);
  EXPECT_THAT(qkv.kernel.name,
              StartsWith("qkv_prompt__q4_1_q8_0_f16__m512_n576_kv200_k576__r64_c64_down1_across2_deep2__"));
  EXPECT_THAT(names(qkv), ElementsAre("q_weight", "k_weight", "v_weight", "x_codes", "x_scales", "x_halves",
                                      "x_half_scales", "positions", "q", "k", "v"));
  EXPECT_EQ(qkv.grid.y, 9u + 4 + 4);
  const LaunchSpec glu = linearLaunch(manyRows(gluOf(WeightLayout::kQ4_1Planes, 128, 576, 1536)));
  EXPECT_THAT(glu.kernel.name,
              StartsWith("glu_linear_prompt__q4_1__m128_n1536_k576__r64_c64_down1_across2_deep2__silu__q8_frag__"));
  EXPECT_THAT(names(glu),
              ElementsAre("gate_weight", "up_weight", "x_codes", "x_scales", "positions", "y_codes", "y_scales"));
  EXPECT_EQ(glu.grid.y, 48u) << "half of a tile is the gate's";
}

// Few rows take tiles of their height whose warps share the inputs; many rows larger ones of which two or three fit a
// multiprocessor.
TEST(LinearPromptSpec, Tiles) {
  const auto tile = [](WeightLayout layout, uint32_t rows, uint32_t outputs) {
    return linearLaunch(manyRows(linearOf(layout, rows, 576, outputs)));
  };
  EXPECT_EQ(tileOf(tile(WeightLayout::kQ8_0Planes, 9, 576)), "r16_n32_t128");
  EXPECT_EQ(tileOf(tile(WeightLayout::kQ8_0Planes, 17, 576)), "r32_n32_t128");
  EXPECT_EQ(tileOf(tile(WeightLayout::kQ8_0Planes, 32, 49152)), "r32_n128_t128");
  EXPECT_EQ(tileOf(tile(WeightLayout::kQ8_0Planes, 40, 576)), "r48_n32_t128") << "40 rows do not pay for 64";
  EXPECT_EQ(tileOf(tile(WeightLayout::kQ8_0Planes, 64, 49152)), "r64_n64_t128");
  EXPECT_EQ(tileOf(tile(WeightLayout::kQ8_0Planes, 80, 49152)), "r48_n128_t128");
  EXPECT_EQ(tileOf(tile(WeightLayout::kQ8_0Planes, 512, 576)), "r64_n64_t128");
  EXPECT_EQ(tileOf(tile(WeightLayout::kQ8_0Planes, 512, 3072)), "r64_n128_t128");
  EXPECT_EQ(tileOf(tile(WeightLayout::kQ8_0Planes, 512, 4096)), "r64_n64_t128") << "13 of 12.8 for each, not 14";
  EXPECT_EQ(tileOf(tile(WeightLayout::kF16Rows, 32, 49152)), "r32_n32_t128");
  EXPECT_EQ(tileOf(tile(WeightLayout::kF16Rows, 48, 576)), "r48_n32_t128");
  EXPECT_EQ(tileOf(tile(WeightLayout::kF16Rows, 512, 4096)), "r128_n128_t256") << "less of the L2 cache";
  EXPECT_EQ(tileOf(tile(WeightLayout::kF16Rows, 320, 4096)), "r64_n128_t128") << "no whole tiles of 128 rows";
  EXPECT_EQ(tileOf(tile(WeightLayout::kF16Rows, 512, 576)), "r64_n64_t128");
  EXPECT_EQ(tileOf(tile(WeightLayout::kF32Rows, 512, 1536)), "r64_n32_t128");
  const LaunchSpec odd = tile(WeightLayout::kQ8_0Planes, 65, 577);
  EXPECT_EQ(odd.grid.x, 2u);
  EXPECT_EQ(odd.grid.y, 10u);
  const auto gated = [](WeightLayout layout, uint32_t rows, uint32_t outputs) {
    return tileOf(linearLaunch(manyRows(gluOf(layout, rows, 4096, outputs))));
  };
  EXPECT_EQ(gated(WeightLayout::kQ4_KPlanes, 512, 14336), "r64_n128_t128");
  EXPECT_EQ(gated(WeightLayout::kF16Rows, 512, 14336), "r128_n128_t256");
  EXPECT_EQ(gated(WeightLayout::kQ4_KPlanes, 512, 256), "r64_n64_t128") << "too few tiles";
  EXPECT_EQ(gated(WeightLayout::kQ4_KPlanes, 64, 14336), "r64_n128_t128");
  EXPECT_EQ(gated(WeightLayout::kQ4_KPlanes, 32, 14336), "r32_n64_t64");
  EXPECT_EQ(gated(WeightLayout::kQ4_KPlanes, 32, 8192), "r32_n64_t128") << "7 of 6.4 for each, not 8";
  EXPECT_EQ(gated(WeightLayout::kQ4_KPlanes, 16, 14336), "r16_n64_t128");
}

// Two by two warps, of q4_k alone, where there are enough of the blocks.
TEST(LinearPromptSpec, SquareTiles) {
  const auto many = [](WeightLayout layout, uint32_t rows, uint32_t inputs, uint32_t outputs) {
    return tileOf(linearLaunch(manyRows(linearOf(layout, rows, inputs, outputs))));
  };
  EXPECT_EQ(many(WeightLayout::kQ4_KPlanes, 512, 4096, 4096), "r128_n64_t128");
  EXPECT_EQ(many(WeightLayout::kQ4_KPlanes, 512, 3072, 6144), "r128_n64_t128");
  EXPECT_EQ(many(WeightLayout::kQ4_KPlanes, 512, 3072, 3072), "r64_n128_t128");
  EXPECT_EQ(many(WeightLayout::kQ4_KPlanes, 128, 4096, 4096), "r64_n64_t128") << "too few tiles";
  EXPECT_EQ(many(WeightLayout::kQ6_KPlanes, 512, 4096, 4096), "r64_n64_t128");
}

// Eight warps divide the inputs of up to 32 int8 rows only where blocks of four would be one for each multiprocessor.
// Of more rows they do where three would not fill it or the last of four would be alone.
TEST(LinearPromptSpec, TilesWhoseWarpsShareTheInputs) {
  const auto few = [](WeightLayout layout, uint32_t rows, uint32_t outputs) {
    return tileOf(linearLaunch(manyRows(linearOf(layout, rows, 4096, outputs))));
  };
  EXPECT_EQ(few(WeightLayout::kQ4_KPlanes, 16, 1024), "r16_n32_t256");
  EXPECT_EQ(few(WeightLayout::kQ4_KPlanes, 16, 6144), "r16_n32_t128");
  EXPECT_EQ(few(WeightLayout::kQ4_KPlanes, 32, 1024), "r32_n32_t256");
  EXPECT_EQ(few(WeightLayout::kQ4_KPlanes, 32, 2048), "r32_n32_t128");
  EXPECT_EQ(few(WeightLayout::kQ4_KPlanes, 32, 3072), "r32_n32_t128");
  EXPECT_EQ(few(WeightLayout::kQ4_KPlanes, 32, 4096), "r32_n64_t128") << "two of twice as many columns for each";
  EXPECT_EQ(few(WeightLayout::kQ4_KPlanes, 32, 6144), "r32_n32_t128");
  EXPECT_EQ(few(WeightLayout::kQ4_KPlanes, 48, 4096), "r48_n32_t256");
  EXPECT_EQ(few(WeightLayout::kQ4_KPlanes, 64, 4096), "r64_n32_t128") << "sums of eight depths are too much to add";
  EXPECT_EQ(few(WeightLayout::kF16Rows, 32, 2048), "r32_n32_t256");
}

TEST(SampleSpec, DecodeAndPrompt) {
  const LaunchSpec decode = sampleLaunch({2, 49152, 1, 4096, true});
  EXPECT_THAT(decode.kernel.name, StartsWith("sample__v49152_b12_c4096__"));
  EXPECT_THAT(names(decode),
              ElementsAre("logits", "sampling", "tokens", "positions", "slots", "samplers", "history", "logit_biases",
                          "dry_breakers", "masks", "adjusted", "sampling_reports", "partial", "arrivals", "sampled"));
  EXPECT_EQ(decode.grid.x, 12u);
  EXPECT_EQ(decode.grid.y, 2u);
  EXPECT_EQ(samplePartialBytes({2, 49152}), 2u * 12 * (2 + 128) * 8); // keys, horizons, offers
  EXPECT_EQ(sampleArrivals({2, 49152}), 2u);
  EXPECT_THAT(names(sampleLaunch({1, 49152, 1, 4096, false})),
              ElementsAre("logits", "sampling", "slots", "output_rows", "samplers", "history", "logit_biases",
                          "dry_breakers", "masks", "adjusted", "sampling_reports", "partial", "arrivals", "sampled"));
  const SampleSlotBytes bytes = sampleSlotBytes({1, 100, 3, 50});
  EXPECT_EQ(bytes.history, 3u * 50 * 4);
  EXPECT_EQ(bytes.masks, 3u * 5 * 4);
  EXPECT_THAT(checkSample({1, 1u << 23}).error().message, HasSubstr("8388608 logits"));
}

} // namespace
} // namespace llcuda::codegen
