// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/edits_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::codegen {
namespace {

using ::testing::HasSubstr;

TEST(EditsSpec, NamesAndCalls) {
  const LaunchSpec launch = applyEditsLaunch({32, 2});
  EXPECT_THAT(launch.kernel.name, ::testing::StartsWith("apply_edits__g2__"));
  EXPECT_EQ(launch.kernel.call,
            "applyEdits<llcuda::EditShape{.tables = 2}>(edits, {tokens, positions, slots, sampling}, sampled, "
            "{{block_table_0, block_table_1}})");
  EXPECT_EQ(launch.kernel.params.size(), 8u);
}

TEST(EditsSpec, RefusesByName) {
  EXPECT_THAT(checkEdits({65, 1}).error().message, HasSubstr("edits of 65 rows"));
  EXPECT_FALSE(checkEdits({1, 0}));
}

} // namespace
} // namespace llcuda::codegen
