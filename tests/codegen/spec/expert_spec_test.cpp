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

constexpr ExpertGluDesc kGlu = {.gate = WeightLayout::kQ8_0Planes,
                                .up = WeightLayout::kF16Rows,
                                .rows = 4,
                                .experts = 8,
                                .choices = 2,
                                .inputs = 64,
                                .outputs = 96};

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

// Phases of few rows have one kernel, so that a choice has the same bits in each.
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
  for (uint32_t tileRows : {16u, 32u})
    for (uint32_t rows : {64u, 128u}) {
      ExpertLinearDesc desc = with(&ExpertLinearDesc::rows, rows);
      desc.tileRows = tileRows;
      EXPECT_TRUE(names.insert(expertLinearLaunch(desc).kernel.name).second) << rows << " " << tileRows;
      EXPECT_TRUE(names.insert(sortChoicesLaunch({rows, 8, 2, tileRows}).kernel.name).second) << rows;
    }
  for (const auto& [bias, f32Rows, int8Rows] :
       {std::tuple(false, true, false), {true, true, false}, {false, true, true}}) {
    ExpertGluDesc desc = kGlu;
    desc.bias = bias, desc.f32Rows = f32Rows, desc.int8Rows = int8Rows;
    EXPECT_TRUE(names.insert(expertGluLaunch(desc).kernel.name).second) << bias << int8Rows;
  }
  for (const RouteDesc& desc : {RouteDesc{1, 8, 2}, RouteDesc{1, 9, 2}, RouteDesc{1, 8, 3}, RouteDesc{1, 8, 2, true}})
    EXPECT_TRUE(names.insert(routeLaunch(desc).kernel.name).second) << desc.experts << " " << desc.choices;
  for (const ExpertSumDesc& desc : {ExpertSumDesc{1, 2, 64}, ExpertSumDesc{1, 3, 64}, ExpertSumDesc{1, 2, 96}})
    EXPECT_TRUE(names.insert(expertSumLaunch(desc).kernel.name).second) << desc.choices << " " << desc.columns;
}

// Of one row the weights of as many experts as it chooses are read, of rows those that any of them chose.
TEST(ExpertSpec, Works) {
  const LaunchWork work = expertLinearLaunch(kLinear).work;
  EXPECT_EQ(work.rows, 4u);
  EXPECT_EQ(work.fixedBytes, 0u);
  EXPECT_EQ(work.expertBytes, 96u * 2 * 34);
  EXPECT_EQ(work.experts, 8u);
  EXPECT_EQ(work.choices, 2u);
  EXPECT_EQ(work.tileRows, 0u);
  EXPECT_EQ(work.rowRead, 64u + 2 * 8);
  EXPECT_EQ(work.rowWritten, 4u * 2 * 96);
  EXPECT_EQ(work.rowMultiplyAdds, 2u * 96 * 64);
  EXPECT_EQ(bytesOf(work, {.rows = 1}), 2u * 96 * 2 * 34 + 64 + 2 * 8 + 4 * 2 * 96);
  EXPECT_EQ(expertLinearLaunch(with(&ExpertLinearDesc::each, true)).work.rowRead, 2u * (64 + 2 * 8));
  EXPECT_EQ(expertLinearLaunch(with(&ExpertLinearDesc::bias, true)).work.expertBytes, work.expertBytes + 4 * 96);
}

TEST(ExpertSpec, GateAndUpAreOneLaunch) {
  const LaunchSpec glu = expertGluLaunch(kGlu);
  EXPECT_EQ(glu.grid.x, 3u);
  EXPECT_EQ(glu.grid.y, 8u);
  EXPECT_EQ(glu.work.expertBytes, 96u * (2 * 34 + 64 * 2));
  EXPECT_EQ(glu.work.rowRead, 5u * 64 + 2 * 8);
  EXPECT_EQ(glu.work.rowWritten, 2u * 96 * 4);
  EXPECT_EQ(glu.work.rowMultiplyAdds, 2u * 2 * 96 * 64);
}

// As many tiles as there can be, of a height by how many choices an expert gets.
TEST(ExpertSpec, SortedGrids) {
  EXPECT_EQ(expertTileRows(512, 32, 4, false), 32u);
  EXPECT_EQ(expertTileRows(1024, 32, 4, false), 64u);
  EXPECT_EQ(expertTileRows(16, 32, 4, false), 16u);
  EXPECT_EQ(expertTileRows(1024, 32, 4, true), expertTileRows(64, 32, 4, true));
  ExpertLinearDesc desc = with(&ExpertLinearDesc::rows, 64u);
  desc.tileRows = 16;
  const LaunchSpec linear = expertLinearLaunch(desc), sort = sortChoicesLaunch({64, 8, 2, 16});
  EXPECT_EQ(linear.grid.x, 15u); // (64 * 2 + 8 * 15) / 16
  EXPECT_EQ(linear.grid.y, 1u);
  EXPECT_EQ(sort.grid.x, 1u);
  EXPECT_EQ(sort.kernel.threads, 32u * 4);
  EXPECT_EQ(sortChoicesLaunch({512, 1024, 8, 16}).kernel.threads, 32u * 8); // counts in 32 KB
  EXPECT_EQ(sortedRowsLaunch({{64, 8, 2, 16}, 64}).grid.x, 15u * 16 * 64 / 16 / 128 + 1);
  EXPECT_EQ(sortedRowsLaunch({{64, 8, 2, 16}, 64, false, true}).grid.x, 15u * 16);
}

// Of sorted choices a step reads the experts that any row chose, once.
TEST(ExpertSpec, SortedWorks) {
  ExpertLinearDesc desc = with(&ExpertLinearDesc::bias, true);
  desc.tileRows = 16;
  const LaunchWork work = expertLinearLaunch(desc).work;
  EXPECT_EQ(work.experts, 8u);
  EXPECT_EQ(work.choices, 2u);
  EXPECT_EQ(work.tileRows, 16u);
  EXPECT_EQ(work.expertBytes, 96u * (2 * 34 + 4));
  EXPECT_EQ(work.rowRead, 2u * (64 + 2 * 8));
  EXPECT_EQ(work.rowWritten, 4u * 2 * 96);
  EXPECT_EQ(work.unit, ArithmeticUnit::kTensorInt8);
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
  ExpertLinearDesc sorted = with(&ExpertLinearDesc::layout, WeightLayout::kF32Rows);
  sorted.tileRows = 16;
  EXPECT_THAT(refusal(checkExpertLinear(sorted)),
              HasSubstr("expert_linear of sorted choices with f32_rows, which tensor cores do not multiply"));
  EXPECT_THAT(refusal(checkSortChoices({1, 8, 2, 24})), HasSubstr("sort_choices in tiles of 24 rows"));
  EXPECT_THAT(refusal(checkSortedRows({{1, 8, 2, 16}, 48})), HasSubstr("sorted_rows of 48 columns"));
  ExpertGluDesc glu = kGlu;
  glu.tileRows = 16;
  EXPECT_THAT(refusal(checkExpertGlu(glu)),
              HasSubstr("expert_glu_linear of sorted choices with q8_0_planes and f16_rows"));
  EXPECT_THAT(refusal(checkRoute({1, 1025, 2})), HasSubstr("route of 2 of 1025 experts"));
  EXPECT_THAT(refusal(checkRoute({1, 64, 33})), HasSubstr("kernels exist for 1 to 32 of 1 to 1024"));
  EXPECT_THAT(refusal(checkExpertSum({1, 2, 6})), HasSubstr("expert_sum of 6 columns"));
}

} // namespace
} // namespace llcuda::codegen
