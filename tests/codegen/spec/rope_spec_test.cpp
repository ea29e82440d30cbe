// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/rope_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

RopeCacheDesc smollm() {
  return {
      .rows = 32, .heads = 9, .kvHeads = 3, .headSize = 64, .turn = {.dimensions = 64}, .cache = {.maxContext = 2048}};
}

// 15 heads of q, k and v, 8 of 16 lanes to a block.
TEST(RopeSpec, RopeCache) {
  const LaunchSpec launch = ropeCacheLaunch(smollm());
  EXPECT_THAT(launch.kernel.name, StartsWith("rope_cache__h9_g3_d64_p32_f16_f16__n64__f16__"));
  EXPECT_EQ(launch.grid.x, 32u);
  EXPECT_EQ(launch.grid.y, 2u);
  EXPECT_THAT(names(launch), ElementsAre("q", "k", "v", "rope_table", "positions", "slots", "block_table", "q_turned",
                                         "k_pages", "v_pages"));
  EXPECT_THAT(launch.kernel.source(),
              HasSubstr("llcuda::HeadTurn{.dimensions = 64, .pairs = llcuda::RopePairs::kAdjacent, .norm = false}, "
                        "llcuda::QueryForm{.f16 = true}>(q, k, v, nullptr, nullptr, rope_table"));
}

// What is not there is no parameter: a table without rotation, queries of a mere cache write.
TEST(RopeSpec, ParametersFollowWhatIsDone) {
  RopeCacheDesc desc = smollm();
  desc.turn = {.norm = true, .eps = 1e-6f};
  EXPECT_THAT(names(ropeCacheLaunch(desc)), ElementsAre("q", "k", "v", "q_scale", "k_scale", "positions", "slots",
                                                        "block_table", "q_turned", "k_pages", "v_pages"));
  desc.heads = 0;
  EXPECT_THAT(names(ropeCacheLaunch(desc)),
              ElementsAre("k", "v", "k_scale", "positions", "slots", "block_table", "k_pages", "v_pages"));
  EXPECT_THAT(names(headRowsLaunch({.heads = 4, .headSize = 256})), ElementsAre("x", "y"));
  EXPECT_THAT(names(headRowsLaunch({.heads = 4, .headSize = 256, .turn = {.dimensions = 64, .norm = true}})),
              ElementsAre("x", "scale", "rope_table", "positions", "y"));
}

TEST(RopeSpec, RefusesByName) {
  RopeCacheDesc desc = smollm();
  desc.turn.dimensions = 66;
  EXPECT_THAT(checkRopeCache(desc).error().message, HasSubstr("rope over 66"));
  desc = smollm();
  desc.headSize = 70;
  desc.turn.dimensions = 64;
  EXPECT_THAT(checkRopeCache(desc).error().message, HasSubstr("heads of 70"));
  desc = smollm();
  desc.kvHeads = 2;
  EXPECT_THAT(checkRopeCache(desc).error().message, HasSubstr("2 kv heads for 9"));
  EXPECT_THAT(checkHeadRows({.headSize = 516}).error().message, HasSubstr("heads of 516"));
}

} // namespace
} // namespace llcuda::codegen
