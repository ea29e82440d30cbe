// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/elementwise_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::codegen {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ElementwiseSpec, NamesAndCalls) {
  EXPECT_THAT(addLaunch({3, 64}).kernel.name, StartsWith("add__n192_t128__"));
  EXPECT_EQ(addLaunch({3, 64}).kernel.call, "add<llcuda::FlatShape{.elements = 192, .threads = 128}>(a, b, y)");
  EXPECT_EQ(scaleLaunch({1, 256}, 0.5f).kernel.call,
            "scale<llcuda::FlatShape{.elements = 256, .threads = 128}>(x, y, 0.5f)");
  EXPECT_EQ(scaleLaunch({1, 256}, 0.5f).grid.x, 2u);
  EXPECT_EQ(softcapLaunch({2, 100}, 30).kernel.call,
            "softcap<llcuda::FlatShape{.elements = 200, .threads = 128}>(x, y, 30.f)");
  EXPECT_EQ(takeColumnsLaunch({{2, 96}, 32, 64, 32}).kernel.call,
            "takeColumns<llcuda::TakeShape{.elements = 192, .count = 32, .group = 64, .first = 32, .threads = 128}>(x, "
            "y)");
  EXPECT_EQ(pickRowsLaunch({1, 576}).kernel.call,
            "pickRows<llcuda::RowShape{.columns = 576, .threads = 160}>(x, output_rows, y)");
}

TEST(ElementwiseSpec, RefusesByName) {
  EXPECT_TRUE(checkElements("scale", {1, 7}));
  EXPECT_THAT(checkElements("add", {1, 7}).error().message, HasSubstr("add of 7 columns"));
  EXPECT_THAT(checkTakeColumns({{1, 96}, 6, 12, 6}).error().message,
              HasSubstr("6 of 12 columns from 6; kernels exist for multiples of 4"));
  EXPECT_THAT(checkTakeColumns({{1, 96}, 32, 64, 36}).error().message, HasSubstr("32 of 64 columns from 36"));
  EXPECT_THAT(checkElements("scale", {1u << 20, 1u << 20}).error().message, HasSubstr("2^31 - 1"));
}

} // namespace
} // namespace llcuda::codegen
