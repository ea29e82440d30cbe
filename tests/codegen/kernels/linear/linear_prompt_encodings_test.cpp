// SPDX-License-Identifier: Apache-2.0
// Every layout in the linear of tensor cores: 33 and 512 rows, and an odd number of outputs.
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
  using Tile = PromptLinearTile<32, 32, 2, 1>;
};
template <>
struct Layout<WeightLayout::kF32Rows> {
  static constexpr WeightLayout kLayout = WeightLayout::kF32Rows;
  static constexpr int kInputs = 192;
  using Tile = PromptLinearTile<64, 32, 4, 1>;
};

template <typename L>
class PromptEncoding : public ::testing::Test {};
using Layouts = ::testing::Types<
    Layout<WeightLayout::kF32Rows>, Layout<WeightLayout::kF16Rows>, Layout<WeightLayout::kQ4_0Planes>,
    Layout<WeightLayout::kQ4_1Planes>, Layout<WeightLayout::kQ8_0Planes>, Layout<WeightLayout::kQ5_0Planes>,
    Layout<WeightLayout::kQ5_1Planes>, Layout<WeightLayout::kQ2_KPlanes>, Layout<WeightLayout::kQ3_KPlanes>,
    Layout<WeightLayout::kQ4_KPlanes>, Layout<WeightLayout::kQ5_KPlanes>, Layout<WeightLayout::kQ6_KPlanes>,
    Layout<WeightLayout::kIQ4_NLPlanes>, Layout<WeightLayout::kIQ4_XSPlanes>, Layout<WeightLayout::kMXFP4Planes>,
    Layout<WeightLayout::kNf4Planes>, Layout<WeightLayout::kNf4ShortPlanes>, Layout<WeightLayout::kFp4Planes>,
    Layout<WeightLayout::kFp4ShortPlanes>, Layout<WeightLayout::kS8Planes>>;
static_assert(static_cast<unsigned>(WeightLayout::kS8Planes) + 1 == kWeightLayouts);

struct LayoutName {
  template <typename L>
  static std::string GetName(int) {
    return std::string(pack::layoutName(L::kLayout));
  }
};
TYPED_TEST_SUITE(PromptEncoding, Layouts, LayoutName);

TYPED_TEST(PromptEncoding, AgreesWithTheReference) {
  expectPromptLinear<TypeParam::kLayout, TypeParam::kInputs, typename TypeParam::Tile>(33, 37);
  expectPromptLinear<TypeParam::kLayout, TypeParam::kInputs, typename TypeParam::Tile>(512, 5);
}

} // namespace
} // namespace llcuda
