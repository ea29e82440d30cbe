// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/expert_spec.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::codegen {
namespace {

using ::testing::HasSubstr;

constexpr ExpertLinearDesc kLinear = {
    .layout = WeightLayout::kQ8_0Planes, .rows = 4, .experts = 8, .choices = 2, .inputs = 64, .outputs = 96};

/// kLinear with a change.
template <typename Value>
ExpertLinearDesc with(Value ExpertLinearDesc::*member, Value value) {
  ExpertLinearDesc desc = kLinear;
  desc.*member = value;
  return desc;
}

// A block for each 32 outputs of each choice.
TEST(ExpertSpec, Grids) {
  const LaunchSpec linear = expertLinearLaunch(kLinear);
  EXPECT_EQ(linear.grid.x, 3u);
  EXPECT_EQ(linear.grid.y, 8u);
  EXPECT_EQ(routeLaunch({.rows = 5, .experts = 8, .choices = 2}).grid.x, 5u);
  const LaunchSpec sum = expertSumLaunch({.rows = 5, .choices = 2, .columns = 1028});
  EXPECT_EQ(sum.grid.x, 3u);
  EXPECT_EQ(sum.grid.y, 5u);
}

// All phases have one kernel, so that a choice has the same bits in each.
TEST(ExpertSpec, RowsAreNoConstantOfAKernel) {
  EXPECT_EQ(expertLinearLaunch(with(&ExpertLinearDesc::rows, 512u)).kernel, expertLinearLaunch(kLinear).kernel);
  EXPECT_EQ(routeLaunch({512, 8, 2, true}).kernel, routeLaunch({1, 8, 2, true}).kernel);
  EXPECT_EQ(expertSumLaunch({512, 2, 64}).kernel, expertSumLaunch({1, 2, 64}).kernel);
}

TEST(ExpertSpec, WhateverAKernelIsMadeOfTellsItFromOthers) {
  std::set<std::string> names;
  for (const ExpertLinearDesc& desc : {kLinear, with(&ExpertLinearDesc::layout, WeightLayout::kF16Rows),
                                       with(&ExpertLinearDesc::experts, 9u), with(&ExpertLinearDesc::choices, 3u),
                                       with(&ExpertLinearDesc::inputs, 96u), with(&ExpertLinearDesc::outputs, 64u),
                                       with(&ExpertLinearDesc::bias, true), with(&ExpertLinearDesc::each, true)})
    EXPECT_TRUE(names.insert(expertLinearLaunch(desc).kernel.name).second) << desc.experts << " " << desc.choices;
  for (const RouteDesc& desc : {RouteDesc{1, 8, 2}, RouteDesc{1, 9, 2}, RouteDesc{1, 8, 3}, RouteDesc{1, 8, 2, true}})
    EXPECT_TRUE(names.insert(routeLaunch(desc).kernel.name).second) << desc.experts << " " << desc.choices;
  for (const ExpertSumDesc& desc : {ExpertSumDesc{1, 2, 64}, ExpertSumDesc{1, 3, 64}, ExpertSumDesc{1, 2, 96}})
    EXPECT_TRUE(names.insert(expertSumLaunch(desc).kernel.name).second) << desc.choices << " " << desc.columns;
}

// A row reads the weights of as many experts as it chooses.
TEST(ExpertSpec, Works) {
  const LaunchWork work = expertLinearLaunch(kLinear).work;
  EXPECT_EQ(work.rows, 4u);
  EXPECT_EQ(work.fixedBytes, 0u);
  EXPECT_EQ(work.rowRead, 2u * 96 * 2 * 34 + 64 + 2 * 8);
  EXPECT_EQ(work.rowWritten, 4u * 2 * 96);
  EXPECT_EQ(work.rowMultiplyAdds, 2u * 96 * 64);
  EXPECT_EQ(expertLinearLaunch(with(&ExpertLinearDesc::each, true)).work.rowRead, 2u * (96 * 2 * 34 + 64 + 2 * 8));
  EXPECT_EQ(expertLinearLaunch(with(&ExpertLinearDesc::bias, true)).work.rowRead, work.rowRead + 4 * 2 * 96);
}

TEST(ExpertSpec, RefusalsNameTheLimit) {
  const auto refusal = [](const Result<void>& checked) { return checked ? "no error" : checked.error().message; };
  EXPECT_THAT(refusal(checkExpertLinear(with(&ExpertLinearDesc::outputs, 48u))),
              HasSubstr("expert_linear of 48 outputs of each of 8 experts; kernels exist for multiples of 32"));
  EXPECT_THAT(refusal(checkExpertLinear(with(&ExpertLinearDesc::inputs, 48u))),
              HasSubstr("expert_linear of 48 inputs; kernels of q8_0_planes exist for multiples of 32"));
  EXPECT_THAT(refusal(checkExpertLinear(with(&ExpertLinearDesc::choices, 9u))),
              HasSubstr("expert_linear of 9 of 8 experts"));
  EXPECT_THAT(refusal(checkExpertLinear(with(&ExpertLinearDesc::rows, 32768u))),
              HasSubstr("expert_linear of 32768 rows; kernels exist for 1 to 32767"));
  EXPECT_THAT(refusal(checkRoute({1, 1025, 2})), HasSubstr("route of 2 of 1025 experts"));
  EXPECT_THAT(refusal(checkRoute({1, 64, 33})), HasSubstr("kernels exist for 1 to 32 of 1 to 1024"));
  EXPECT_THAT(refusal(checkExpertSum({1, 2, 6})), HasSubstr("expert_sum of 6 columns"));
}

} // namespace
} // namespace llcuda::codegen
