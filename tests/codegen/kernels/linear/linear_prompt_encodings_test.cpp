// SPDX-License-Identifier: Apache-2.0
// Every layout in the linear of tensor cores: 33 and 512 rows, and an odd number of outputs.
#include "tests/codegen/kernels/linear/all_layouts.h"
#include "tests/codegen/kernels/linear/prompt_testing.h"

namespace llcuda {
namespace {

using namespace testing;

template <WeightLayout kLayoutArg>
struct Layout {
  static constexpr WeightLayout kLayout = kLayoutArg;
  // What becomes s8_planes comes in blocks of 256.
  static constexpr int kInputs =
      weightBlockBytes(kLayout).columns == 256 || kLayout == WeightLayout::kS8Planes ? 256 : 192;
  using Tile = PromptTile<PromptCut{32, 32, 2, 1}>;
};
template <>
struct Layout<WeightLayout::kF32Rows> {
  static constexpr WeightLayout kLayout = WeightLayout::kF32Rows;
  static constexpr int kInputs = 192;
  using Tile = PromptTile<PromptCut{64, 32, 4, 1}>;
};

template <typename L>
class PromptEncoding : public ::testing::Test {};
using Layouts = AllLayouts<Layout>;
TYPED_TEST_SUITE(PromptEncoding, Layouts, LayoutName);

TYPED_TEST(PromptEncoding, AgreesWithTheReference) {
  expectPromptLinear<TypeParam::kLayout, TypeParam::kInputs, typename TypeParam::Tile>(33, 37);
  expectPromptLinear<TypeParam::kLayout, TypeParam::kInputs, typename TypeParam::Tile>(512, 5);
}

} // namespace
} // namespace llcuda
