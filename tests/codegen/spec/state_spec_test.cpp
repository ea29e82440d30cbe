// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/state_spec.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::codegen {
namespace {

using ::testing::HasSubstr;

constexpr ShortConvDesc kConv = {.rows = 4, .columns = 2048, .taps = 3, .gated = true};
constexpr DeltaRuleDesc kRule = {.rows = 128, .rowBlock = 64, .keyHeads = 16, .valueHeads = 32, .headSize = 128};

template <typename Desc, typename Value>
Desc with(Desc desc, Value Desc::*member, Value value) {
  desc.*member = value;
  return desc;
}

// Four columns a thread of each row; 32 values of a head a block, and a block for each place where a sequence may
// begin.
TEST(StateSpec, Grids) {
  EXPECT_EQ(shortConvLaunch(kConv).grid.x, 4u);
  EXPECT_EQ(shortConvLaunch(kConv).grid.y, 4u);
  EXPECT_EQ(deltaRuleLaunch(kRule).grid.x, 128u);
  EXPECT_EQ(deltaRuleLaunch(kRule).grid.y, 2u);
  EXPECT_EQ(deltaRuleLaunch(with(kRule, &DeltaRuleDesc::rowBlock, 1u)).grid.y, 128u);
}

// Inputs of as many positions as there are taps; two states.
TEST(StateSpec, StateBytes) {
  EXPECT_EQ(shortConvStateBytes(kConv), 3u * 2048 * 4);
  EXPECT_EQ(deltaRuleStateBytes(kRule), 2u * 32 * 128 * 128 * 4);
}

TEST(StateSpec, WhateverAKernelIsMadeOfTellsItFromOthers) {
  std::set<std::string> names;
  for (const ShortConvDesc& desc : {kConv, with(kConv, &ShortConvDesc::columns, 2052u),
                                    with(kConv, &ShortConvDesc::taps, 4u), with(kConv, &ShortConvDesc::gated, false)})
    EXPECT_TRUE(names.insert(shortConvLaunch(desc).kernel.name).second);
  for (const DeltaRuleDesc& desc :
       {kRule, with(kRule, &DeltaRuleDesc::rows, 64u), with(kRule, &DeltaRuleDesc::rowBlock, 32u),
        with(kRule, &DeltaRuleDesc::keyHeads, 8u), with(kRule, &DeltaRuleDesc::valueHeads, 48u),
        with(kRule, &DeltaRuleDesc::headSize, 64u), with(kRule, &DeltaRuleDesc::grouped, true),
        with(kRule, &DeltaRuleDesc::logRate, true)})
    EXPECT_TRUE(names.insert(deltaRuleLaunch(desc).kernel.name).second);
  // All phases have one kernel of the convolution.
  EXPECT_EQ(shortConvLaunch(with(kConv, &ShortConvDesc::rows, 512u)).kernel, shortConvLaunch(kConv).kernel);
}

// Rows of decode phases read and write a state each, those of a prompt's sequence share one.
TEST(StateSpec, Works) {
  const uint64_t state = uint64_t{32} * 128 * 128 * 4;
  const LaunchWork prompt = deltaRuleLaunch(kRule).work;
  EXPECT_EQ(prompt.fixedBytes, 2 * 4 * 32 + 2 * state);
  EXPECT_EQ(prompt.rowWritten, 4u * 4096);
  EXPECT_EQ(prompt.rowMultiplyAdds, 4u * 4096 * 128);
  const LaunchWork decode = deltaRuleLaunch(with(kRule, &DeltaRuleDesc::rowBlock, 1u)).work;
  EXPECT_EQ(decode.fixedBytes, 2u * 4 * 32);
  EXPECT_EQ(decode.rowWritten, 4 * 4096 + 2 * state) << "the state goes both ways once, not to every multiprocessor";
  EXPECT_EQ(shortConvLaunch(kConv).work.rowRead, 3u * 4 * 2048);
}

TEST(StateSpec, Refusals) {
  const auto conv = [](const ShortConvDesc& desc) { return checkShortConv(desc).error().message; };
  EXPECT_THAT(conv(with(kConv, &ShortConvDesc::columns, 2046u)), HasSubstr("multiples of 4 up to 1048576"));
  EXPECT_THAT(conv(with(kConv, &ShortConvDesc::taps, 9u)), HasSubstr("9 taps; kernels exist for 2 to 8"));
  EXPECT_THAT(conv(with(kConv, &ShortConvDesc::silu, true)), HasSubstr("gated and has a silu"));
  EXPECT_THAT(conv(with(kConv, &ShortConvDesc::rows, 0u)), HasSubstr("0 rows; kernels exist for 1 to 65535"));
  const auto rule = [](const DeltaRuleDesc& desc) { return checkDeltaRule(desc).error().message; };
  EXPECT_THAT(rule(with(kRule, &DeltaRuleDesc::headSize, 48u)), HasSubstr("multiples of 32 up to 256"));
  EXPECT_THAT(rule(with(kRule, &DeltaRuleDesc::valueHeads, 33u)), HasSubstr("33 value heads and 16 key heads"));
  EXPECT_THAT(rule(with(kRule, &DeltaRuleDesc::rowBlock, 129u)), HasSubstr("128 rows in blocks of 129"));
}

} // namespace
} // namespace llcuda::codegen
