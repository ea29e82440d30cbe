// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/linear_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/codegen/linear_descs.h"

namespace llcuda::codegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::vector<std::string> paramNames(const LaunchSpec& launch) {
  std::vector<std::string> names;
  for (const Param& param : launch.kernel.params) names.push_back(param.name);
  return names;
}

LinearDesc linear(WeightLayout layout, const LinearEpilogue& epilogue = StoreRows{}) {
  return linearOf(layout, 1, 576, 192, epilogue);
}

TEST(LinearSpec, ALayoutBringsTheRowsItReads) {
  EXPECT_THAT(paramNames(linearLaunch(linear(WeightLayout::kQ4_1Planes))),
              ElementsAre("weight", "x_codes", "x_scales", "y"));
  EXPECT_THAT(paramNames(linearLaunch(linear(WeightLayout::kF16Rows))), ElementsAre("weight", "x", "y"));
}

TEST(LinearSpec, MixedLayoutsBringBothFormsOfTheInput) {
  LinearDesc desc = qkvOf(WeightLayout::kQ4_1Planes, WeightLayout::kQ8_0Planes, 1, 576, 576, 192,
                          RopeCacheRows{.cache = {.maxContext = 2048}});
  desc.parts[1].layout = WeightLayout::kF16Rows;
  EXPECT_THAT(paramNames(linearLaunch(desc)),
              ElementsAre("q_weight", "k_weight", "v_weight", "x", "x_codes", "x_scales", "rope_table", "positions",
                          "slots", "block_table", "q", "k_pages", "v_pages"));
  std::get<RopeCacheRows>(desc.epilogue).dimensions = 0;
  desc.bias = true;
  EXPECT_THAT(paramNames(linearLaunch(desc)),
              ElementsAre("q_weight", "k_weight", "v_weight", "x", "x_codes", "x_scales", "q_bias", "k_bias", "v_bias",
                          "positions", "slots", "block_table", "q", "k_pages", "v_pages"));
}

// A head's cap is a constant of the call, and in its name.
TEST(LinearSpec, LogitsAreCapped) {
  const LaunchSpec plain = linearLaunch(linear(WeightLayout::kF16Rows));
  const LaunchSpec capped = linearLaunch(linear(WeightLayout::kF16Rows, StoreRows{.softcap = 30}));
  EXPECT_THAT(capped.kernel.call,
              HasSubstr(".residual = false, .cap = true}>(weight, x, nullptr, nullptr, nullptr, nullptr, y, "
                        "30.f)"));
  EXPECT_NE(plain.kernel.name, capped.kernel.name);
}

TEST(LinearSpec, PostNormsHaveAScaleAndAWorkspace) {
  const LinearDesc desc = linearOf(WeightLayout::kF16Rows, 1, 64, 64, NormRows{.postNorm = true});
  EXPECT_THAT(paramNames(linearLaunch(desc)), ElementsAre("weight", "x", "residual", "post_scale", "norm_scale",
                                                          "arrivals", "product", "y", "normed_codes", "normed_scales"));
}

TEST(LinearSpec, QkvLinear) {
  const LaunchSpec launch =
      linearLaunch(biased(qkvOf(WeightLayout::kQ4_1Planes, WeightLayout::kQ8_0Planes, 1, 576, 576, 192)));
  EXPECT_THAT(launch.kernel.name, HasSubstr("qkv_linear__q4_1_q4_1_q8_0__m1_n576_kv192_k576__"));
  EXPECT_THAT(paramNames(launch), ElementsAre("q_weight", "k_weight", "v_weight", "x_codes", "x_scales", "q_bias",
                                              "k_bias", "v_bias", "q", "k", "v"));
  EXPECT_THAT(launch.kernel.call, HasSubstr("llcuda::QkvLinearShape{.m = 1, .qN = 576, .kvN = 192, .k = 576}"));
}

// Of parts without a low-rank product the call gets nullptr.
TEST(LinearSpec, LowRankProductsAreTheLastOperand) {
  LinearDesc desc = qkvOf(WeightLayout::kQ4_1Planes, WeightLayout::kQ4_1Planes, 1, 576, 576, 192);
  const uint32_t blocks = linearLaunch(desc).grid.x;
  desc.lowRank = 64;
  desc.parts[0].lowRank = desc.parts[2].lowRank = true;
  const LaunchSpec launch = linearLaunch(desc);
  EXPECT_EQ(launch.grid.x, 64 / 4 + blocks); // those that make low come first
  EXPECT_THAT(paramNames(launch), ElementsAre("q_weight", "k_weight", "v_weight", "x", "x_codes", "x_scales", "q", "k",
                                              "v", "low", "low_inner", "low_counts", "q_low_weight", "v_low_weight"));
  EXPECT_THAT(
      launch.kernel.call,
      HasSubstr("}, 64>(q_weight, k_weight, v_weight, x, x_codes, x_scales, nullptr, nullptr, nullptr, q, k, v, "
                "llcuda::LowRank{low, low_inner, low_counts, q_low_weight, nullptr, v_low_weight})"));
  LinearDesc one = linear(WeightLayout::kQ4_1Planes);
  one.lowRank = 32;
  one.parts[0].lowRank = true;
  EXPECT_THAT(linearLaunch(one).kernel.call,
              HasSubstr("y, 0.f, llcuda::LowRank{low, low_inner, low_counts, low_weight})"));
  EXPECT_THAT(linearLaunch(manyRows(one)).kernel.call, HasSubstr("}, 32>(weight, "));
  EXPECT_THAT(linearLaunch(manyRows(one)).kernel.call,
              HasSubstr("y, llcuda::LowRank{low, nullptr, nullptr, low_weight})"));
}

// The call names each parameter once, and nullptr for those the kernel is made without.
TEST(LinearSpec, SourceIsTheEntryOfOneCall) {
  const LaunchSpec launch = linearLaunch(linear(WeightLayout::kQ4_1Planes, StoreRows{.residual = true}));
  EXPECT_THAT(launch.kernel.name, MatchesRegex("linear__q4_1__m1_n192_k576__s9_a2__residual__[0-9a-f]{8}"));
  EXPECT_EQ(launch.kernel.source(),
            "#include \"codegen/kernels/linear/linear.cuh\"\n\n"
            "LLCUDA_ENTRY(288, 3)\n" +
                launch.kernel.name +
                "(const uint8_t* weight, const int8_t* x_codes, "
                "const float2* x_scales, const float* residual, float* y) {\n"
                "  llcuda::linear<llcuda::WeightLayout::kQ4_1Planes, llcuda::LinearShape{.m = 1, .n = 192, .k = 576}, "
                "llcuda::DecodeCut{.slices = 9, .ahead = 2}, "
                "llcuda::LinearParts{.bias = false, .residual = true, .cap = false}>(weight, nullptr, x_codes, "
                "x_scales, nullptr, residual, y);\n}\n");
}

TEST(LinearSpec, BlocksCoverEveryOutput) {
  for (uint32_t outputs : {1u, 31u, 576u, 49152u}) {
    const LaunchSpec launch = linearLaunch(linearOf(WeightLayout::kQ8_0Planes, 1, 576, outputs));
    EXPECT_GE(launch.grid.x * 32, outputs);
    EXPECT_LT((launch.grid.x - 1) * 32, outputs);
  }
}

TEST(LinearSpec, RefusesByName) {
  const auto message = [](const LinearDesc& desc) {
    const Result<void> result = checkLinear(desc);
    return result.ok() ? std::string() : result.error().message;
  };
  constexpr WeightLayout kF16 = WeightLayout::kF16Rows, kQ4 = WeightLayout::kQ4_1Planes;
  EXPECT_EQ(message(linear(kQ4)), "");
  EXPECT_THAT(message(linearOf(kQ4, 1, 100, 192)), HasSubstr("100 inputs"));
  EXPECT_THAT(message(linearOf(kQ4, 9, 576, 192)), HasSubstr("9 rows"));
  EXPECT_EQ(message(manyRows(linearOf(kQ4, 9, 576, 192))), "");
  EXPECT_THAT(message(linearOf(WeightLayout::kQ4_KPlanes, 1, 288, 64)), HasSubstr("multiples of 256"));
  EXPECT_THAT(message(linearOf(kF16, 1, 64, 48, NormRows{})), HasSubstr("48 outputs"));
  EXPECT_THAT(message(linearOf(kF16, 1, 64, 64, NormRows{.int8Rows = false})), HasSubstr("no normed rows"));
  EXPECT_THAT(message(gluOf(kF16, 1, 64, 48)), HasSubstr("48 outputs"));
  EXPECT_THAT(message(biased(gluOf(kF16, 1, 64, 64))), HasSubstr("biases"));
  LinearDesc adapted = linear(kQ4);
  adapted.lowRank = 48;
  EXPECT_THAT(message(adapted), HasSubstr("rank 48"));
  adapted.lowRank = 64;
  EXPECT_THAT(message(adapted), HasSubstr("rank 64")); // of no part
  adapted.parts[0].lowRank = true;
  EXPECT_EQ(message(adapted), "");
  EXPECT_EQ(message(manyRows(adapted)), "");
  adapted.parts[0].layout = WeightLayout::kF32Rows;
  EXPECT_EQ(message(adapted), "");
  EXPECT_THAT(message(manyRows(adapted)), HasSubstr("f32_rows of many rows with low-rank products"));
  const LinearDesc qkv = qkvOf(kF16, kF16, 1, 64, 128, 64);
  EXPECT_EQ(message(qkv), "");
  LinearDesc other = qkv;
  other.parts[2].outputs = 32;
  EXPECT_THAT(message(other), HasSubstr("64 and 32 outputs"));
  other.parts.pop_back();
  EXPECT_THAT(message(other), HasSubstr("2 weights"));
  EXPECT_THAT(message(qkvOf(kF16, kF16, 1, 64, 128, 64, StoreRows{.residual = true})), HasSubstr("residual"));
  RopeCacheRows cached = {.headSize = 63, .cache = {.maxContext = 64}};
  EXPECT_THAT(message(qkvOf(kF16, kF16, 1, 64, 126, 63, cached)), HasSubstr("heads of 63"));
  cached.headSize = 64;
  EXPECT_THAT(message(qkvOf(kF16, kF16, 1, 64, 96, 64, cached)), HasSubstr("96 and 64 outputs"));
  cached.cache.pageTokens = 32;
  EXPECT_THAT(message(qkvOf(kF16, kF16, 1, 64, 128, 64, cached)), HasSubstr("pages of 32"));
}

// What tensor cores leave to other launches.
TEST(LinearSpec, ManyRowsRefuseByName) {
  const auto message = [](const LinearDesc& desc) { return checkLinear(manyRows(desc)).error().message; };
  constexpr WeightLayout kF16 = WeightLayout::kF16Rows, kF32 = WeightLayout::kF32Rows;
  EXPECT_THAT(message(qkvOf(kF32, kF16, 64, 64, 64, 64)), HasSubstr("f32_rows"));
  EXPECT_THAT(message(gluOf(kF16, 64, 64, 48)), HasSubstr("48 outputs"));
  LinearDesc mixed = gluOf(kF16, 64, 64, 64);
  mixed.parts[1].layout = WeightLayout::kQ8_0Planes;
  EXPECT_THAT(message(mixed), HasSubstr("f16_rows and q8_0_planes"));
  EXPECT_THAT(message(linearOf(kF16, 64, 64, 64, NormRows{})), HasSubstr("many rows"));
  EXPECT_THAT(message(linearOf(kF16, 64, 64, 64, StoreRows{.softcap = 30})), HasSubstr("softcap"));
}

} // namespace
} // namespace llcuda::codegen
