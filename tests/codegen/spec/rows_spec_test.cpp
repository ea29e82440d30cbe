// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/rows_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::codegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::string> paramNames(const LaunchSpec& launch) {
  std::vector<std::string> names;
  for (const Param& param : launch.kernel.params) names.push_back(param.name);
  return names;
}

TEST(RowsSpec, ParametersFollowWhatIsEmitted) {
  EXPECT_THAT(paramNames(rmsNormLaunch({.rows = 1, .columns = 576})), ElementsAre("x", "scale", "y"));
  EXPECT_THAT(
      paramNames(rmsNormLaunch({.rows = 2, .columns = 576, .pickRows = true, .f32Rows = true, .int8Rows = true})),
      ElementsAre("x", "scale", "output_rows", "y", "y_codes", "y_scales"));
  EXPECT_THAT(paramNames(postNormLaunch({.rows = 2, .columns = 576, .pickRows = true})),
              ElementsAre("x", "residual", "post_scale", "scale", "output_rows", "sum", "y"));
  EXPECT_THAT(paramNames(quantizeLaunch({.rows = 3, .columns = 64})), ElementsAre("x", "y_codes", "y_scales"));
  EXPECT_THAT(paramNames(halfRowsLaunch({.rows = 3, .columns = 64})), ElementsAre("x", "y_halves", "y_half_scales"));
  EXPECT_THAT(paramNames(gluLaunch({.rows = 3, .columns = 64})), ElementsAre("gate", "up", "y_codes", "y_scales"));
  EXPECT_THAT(paramNames(embeddingLaunch({.rows = 3, .columns = 64, .vocabulary = 5})),
              ElementsAre("weight", "tokens", "y"));
}

// A norm's block knows the largest element of its row: it makes f16 rows without a launch of their own.
TEST(RowsSpec, NormsEmitHalfRows) {
  const LaunchSpec norm = rmsNormLaunch({.rows = 16, .columns = 576, .f32Rows = false, .halfRows = true});
  EXPECT_THAT(paramNames(norm), ElementsAre("x", "scale", "y_halves", "y_half_scales"));
  EXPECT_THAT(norm.kernel.call, HasSubstr(".halves = true}>(x, scale, nullptr, nullptr, nullptr, nullptr, 0.f, "
                                          "y_halves, y_half_scales)"));
  EXPECT_THAT(norm.kernel.name, StartsWith("rms_norm__c576_t160__f16__"));
  EXPECT_EQ(norm.work.rowWritten, 2u * 576 + 4);
  EXPECT_THAT(paramNames(postNormLaunch({.rows = 16, .columns = 576, .halfRows = true})),
              ElementsAre("x", "residual", "post_scale", "scale", "sum", "y", "y_halves", "y_half_scales"));
}

TEST(RowsSpec, ConstantsAreLiteralsOfTheCall) {
  const LaunchSpec norm = rmsNormLaunch({.rows = 1, .columns = 576, .eps = 1e-5f});
  EXPECT_EQ(norm.kernel.call,
            "rmsNorm<llcuda::RowShape{.columns = 576, .threads = 160, .picked = false}, llcuda::RowForms{.f32 = true, "
            ".int8 = false, .order = llcuda::RowOrder::kRows}>(x, scale, nullptr, y, nullptr, nullptr, 1e-05f)");
  EXPECT_THAT(norm.kernel.name, StartsWith("rms_norm__c576_t160__f32__e3727c5ac__"));
  const LaunchSpec embedding =
      embeddingLaunch({.layout = WeightLayout::kQ8_0Planes, .rows = 4, .columns = 576, .vocabulary = 49152});
  EXPECT_EQ(embedding.kernel.call, "embedding<llcuda::EmbeddingShape{.layout = llcuda::WeightLayout::kQ8_0Planes, "
                                   ".vocabulary = 49152, .columns = 576, .threads = 160}>(weight, tokens, y, 1.f)");
}

// The order of int8 rows is a constant and in the name, where there are any.
TEST(RowsSpec, RowsForTensorCores) {
  RmsNormDesc desc = {.rows = 16, .columns = 576, .f32Rows = false, .int8Rows = true, .order = RowOrder::kFragments};
  EXPECT_THAT(rmsNormLaunch(desc).kernel.call, HasSubstr(".int8 = true, .order = llcuda::RowOrder::kFragments}"));
  EXPECT_THAT(rmsNormLaunch(desc).kernel.name, StartsWith("rms_norm__c576_t160__q8_frag__"));
  desc.f32Rows = true;
  desc.int8Rows = false;
  EXPECT_THAT(rmsNormLaunch(desc).kernel.call, HasSubstr(".order = llcuda::RowOrder::kRows}"));
}

TEST(RowsSpec, BlocksCoverEveryElement) {
  const LaunchSpec glu = gluLaunch({.rows = 3, .columns = 96});
  EXPECT_GE(glu.grid.x * glu.kernel.threads * 4, 3u * 96);
  EXPECT_LT((glu.grid.x - 1) * glu.kernel.threads * 4, 3u * 96);
  const LaunchSpec fragments = gluLaunch({.rows = 17, .columns = 96, .order = RowOrder::kFragments}); // of two tiles
  EXPECT_GE(fragments.grid.x * fragments.kernel.threads * 16, 32u * 96);
  EXPECT_LT((fragments.grid.x - 1) * fragments.kernel.threads * 16, 32u * 96);
  EXPECT_EQ(rmsNormLaunch({.rows = 7, .columns = 96}).grid.x, 7u);
}

TEST(RowsSpec, RefusesByName) {
  const auto message = [](const Result<void>& result) { return result.ok() ? std::string() : result.error().message; };
  EXPECT_THAT(message(checkRmsNorm({.columns = 40})), HasSubstr("rms_norm of 40 columns"));
  EXPECT_THAT(message(checkRmsNorm({.columns = 64, .f32Rows = false})), HasSubstr("emits no rows"));
  EXPECT_THAT(message(checkHalfRows({.columns = 40})), HasSubstr("half_rows of 40 columns"));
  EXPECT_THAT(message(checkGlu({.rows = 60000, .columns = 60000 / 32 * 32})), HasSubstr("2^31"));
  EXPECT_THAT(message(checkEmbedding({.vocabulary = 0})), HasSubstr("0 tokens"));
}

} // namespace
} // namespace llcuda::codegen
