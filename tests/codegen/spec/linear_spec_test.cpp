// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/linear_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

LinearDesc linear(WeightLayout layout) {
  return {.layout = layout, .rows = 1, .inputs = 576, .outputs = 192};
}

TEST(LinearSpec, ALayoutBringsTheRowsItReads) {
  EXPECT_THAT(paramNames(linearLaunch(linear(WeightLayout::kQ4_1Planes))),
              ElementsAre("weight", "x_codes", "x_scales", "y"));
  EXPECT_THAT(paramNames(linearLaunch(linear(WeightLayout::kF16Rows))), ElementsAre("weight", "x", "y"));
}

TEST(LinearSpec, MixedLayoutsBringBothFormsOfTheInput) {
  QkvRopeCacheDesc desc = {.qLayout = WeightLayout::kQ4_1Planes,
                           .kLayout = WeightLayout::kF16Rows,
                           .vLayout = WeightLayout::kQ8_0Planes,
                           .inputs = 576,
                           .heads = 9,
                           .kvHeads = 3,
                           .cache = {.maxContext = 2048}};
  EXPECT_THAT(paramNames(qkvRopeCacheLaunch(desc)),
              ElementsAre("q_weight", "k_weight", "v_weight", "x", "x_codes", "x_scales", "rope_table", "positions",
                          "slots", "block_table", "q", "k_pages", "v_pages"));
  desc.dimensions = 0;
  desc.bias = true;
  EXPECT_THAT(paramNames(qkvRopeCacheLaunch(desc)),
              ElementsAre("q_weight", "k_weight", "v_weight", "x", "x_codes", "x_scales", "q_bias", "k_bias", "v_bias",
                          "positions", "slots", "block_table", "q", "k_pages", "v_pages"));
}

// A head's cap is a constant of the call, and in its name.
TEST(LinearSpec, LogitsAreCapped) {
  LinearDesc desc = linear(WeightLayout::kF16Rows);
  const LaunchSpec plain = linearLaunch(desc);
  desc.softcap = 30;
  const LaunchSpec capped = linearLaunch(desc);
  EXPECT_THAT(capped.kernel.call,
              HasSubstr(".residual = false, .cap = true}>(weight, x, nullptr, nullptr, nullptr, nullptr, y, "
                        "30.f)"));
  EXPECT_NE(plain.kernel.name, capped.kernel.name);
}

TEST(LinearSpec, PostNormsHaveAScaleAndAWorkspace) {
  const LinearResidualNormDesc desc = {.inputs = 64, .outputs = 64, .postNorm = true};
  EXPECT_THAT(paramNames(linearResidualNormLaunch(desc)),
              ElementsAre("weight", "x", "residual", "post_scale", "norm_scale", "arrivals", "product", "y",
                          "normed_codes", "normed_scales"));
}

TEST(LinearSpec, QkvLinear) {
  const LaunchSpec launch = qkvLinearLaunch({.qLayout = WeightLayout::kQ4_1Planes,
                                             .kLayout = WeightLayout::kQ4_1Planes,
                                             .vLayout = WeightLayout::kQ8_0Planes,
                                             .inputs = 576,
                                             .qOutputs = 576,
                                             .kvOutputs = 192,
                                             .bias = true});
  EXPECT_THAT(launch.kernel.name, HasSubstr("qkv_linear__q4_1_q4_1_q8_0__m1_n576_kv192_k576__"));
  EXPECT_THAT(paramNames(launch), ElementsAre("q_weight", "k_weight", "v_weight", "x_codes", "x_scales", "q_bias",
                                              "k_bias", "v_bias", "q", "k", "v"));
  EXPECT_THAT(launch.kernel.call, HasSubstr("llcuda::QkvLinearShape{.m = 1, .qN = 576, .kvN = 192, .k = 576}"));
}

// The call names each parameter once, and nullptr for those the kernel is made without.
TEST(LinearSpec, SourceIsTheEntryOfOneCall) {
  LinearDesc desc = linear(WeightLayout::kQ4_1Planes);
  desc.residual = true;
  const LaunchSpec launch = linearLaunch(desc);
  EXPECT_THAT(launch.kernel.name, MatchesRegex("linear__q4_1__m1_n192_k576__l8_r1_w4__residual__[0-9a-f]{8}"));
  EXPECT_EQ(launch.kernel.source(),
            "#include \"codegen/kernels/linear/linear.cuh\"\n\n"
            "LLCUDA_ENTRY(128, 6)\n" +
                launch.kernel.name +
                "(const uint8_t* weight, const int8_t* x_codes, "
                "const float2* x_scales, const float* residual, float* y) {\n"
                "  llcuda::linear<llcuda::WeightLayout::kQ4_1Planes, llcuda::LinearShape{.m = 1, .n = 192, .k = 576}, "
                "llcuda::DecodeCut{.lanes = 8, .rows = 1, .warps = 4, .rounds = 1}, "
                "llcuda::LinearParts{.bias = false, .residual = true, .cap = false}>(weight, nullptr, x_codes, "
                "x_scales, nullptr, residual, y);\n}\n");
}

TEST(LinearSpec, BlocksCoverEveryOutput) {
  for (uint32_t outputs : {1u, 31u, 576u, 49152u}) {
    LinearDesc desc = linear(WeightLayout::kQ8_0Planes);
    desc.outputs = outputs;
    const LaunchSpec launch = linearLaunch(desc);
    const auto request = std::get<DecodeTileRequest>(launch.tileRequest);
    const DecodeTile tile = chooseDecodeTile(request);
    EXPECT_EQ(tile.lanes, 8u);
    EXPECT_GE(launch.grid.x * tile.blockRows(request), outputs);
    EXPECT_LT((launch.grid.x - 1) * tile.blockRows(request), outputs);
  }
}

TEST(LinearSpec, RefusesByName) {
  const auto message = [](const Result<void>& result) { return result.ok() ? std::string() : result.error().message; };
  LinearDesc desc = linear(WeightLayout::kQ4_1Planes);
  desc.inputs = 100;
  EXPECT_THAT(message(checkLinear(desc)), HasSubstr("100 inputs"));
  desc = linear(WeightLayout::kQ4_1Planes);
  desc.rows = 9;
  EXPECT_THAT(message(checkLinear(desc)), HasSubstr("9 rows"));
  EXPECT_THAT(message(checkLinearResidualNorm({.inputs = 64, .outputs = 48})), HasSubstr("48 outputs"));
  EXPECT_THAT(message(checkGluLinear({.inputs = 64, .outputs = 48})), HasSubstr("48 outputs"));
  QkvRopeCacheDesc qkv = {.inputs = 64, .heads = 2, .kvHeads = 1, .headSize = 63, .cache = {.maxContext = 64}};
  EXPECT_THAT(message(checkQkvRopeCache(qkv)), HasSubstr("63"));
  qkv.headSize = 64;
  qkv.cache.pageTokens = 32;
  EXPECT_THAT(message(checkQkvRopeCache(qkv)), HasSubstr("pages of 32"));
}

} // namespace
} // namespace llcuda::codegen
