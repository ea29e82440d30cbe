// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/linear/linear.cuh"

#include <gtest/gtest.h>

#include "tests/codegen/kernels/linear/expect_product.h"

namespace llcuda {
namespace {

using namespace testing;

// What the loop over a row does is the same for every layout; here it is seen with a dense one and with one of int8
// rows.
template <typename L>
class LinearOf : public ::testing::Test {};
using LoopLayouts = ::testing::Types<LayoutType<WeightLayout::kF16Rows>, LayoutType<WeightLayout::kQ8_0Planes>>;
TYPED_TEST_SUITE(LinearOf, LoopLayouts);

// SmolLM2's width: 18 blocks over 8 lanes leave lanes without work in the last step.
TYPED_TEST(LinearOf, RowsThatDoNotFillTheLanes) {
  expectProduct<TypeParam::kLayout, 576, 64, 1, DecodeTile<DecodeCut{8, 2, 4}>>();
}

// One block of 32 and an odd number of outputs: the last group moves up and must not store rows twice or past the end.
TYPED_TEST(LinearOf, OneBlockAndOddOutputs) {
  expectProduct<TypeParam::kLayout, 32, 37, 2, DecodeTile<DecodeCut{8, 4, 1}>>();
}

// Several rounds of the loop that loads ahead, with a last one that is not full.
TYPED_TEST(LinearOf, RowsLongerThanWhatIsLoadedAhead) {
  expectProduct<TypeParam::kLayout, 4768, 6, 1, DecodeTile<DecodeCut{32, 2, 1}>>();
}

// Eight rows: more sums than some groups have lanes, so a lane owns several.
TYPED_TEST(LinearOf, EightRows) {
  expectProduct<TypeParam::kLayout, 256, 33, 8, DecodeTile<DecodeCut{8, 2, 2}>>();
}

TYPED_TEST(LinearOf, FourRows) {
  expectProduct<TypeParam::kLayout, 512, 20, 4, DecodeTile<DecodeCut{16, 2, 2}>>();
}

// Three is no power of two: lanes that answer for no row must stay silent.
TYPED_TEST(LinearOf, ThreeRows) {
  expectProduct<TypeParam::kLayout, 96, 11, 3, DecodeTile<DecodeCut{8, 1, 2}>>();
}

TYPED_TEST(LinearOf, OneOutput) {
  expectProduct<TypeParam::kLayout, 64, 1, 1, DecodeTile<DecodeCut{32, 1, 4}>>();
}

// y is the residual itself, and the last group overlaps the one before it, whose block has stored by then: a row that
// is added twice shows.
TEST(Linear, AddsBiasAndResidualInPlaceOnce) {
  constexpr int kColumns = 64, kOutputs = 13, kRows = 2;
  constexpr auto kLayout = WeightLayout::kQ4_1Planes;
  const TestWeight weight(kLayout, kOutputs, kColumns, 3);
  const TestRows rows(kRows, kColumns, 4);
  const std::vector<float> bias = normalFloats(kOutputs, 5), residual = normalFloats(kRows * kOutputs, 6);
  std::vector<float> y = residual;
  launchAdding<kLayout, kColumns, kOutputs, kRows, DecodeTile<DecodeCut{32, 4, 1}>>(weight, rows, bias.data(), y.data(),
                                                                                    y.data());
  std::vector<double> wanted(kRows * kOutputs);
  reference::linear(rows.seenBy(kLayout).data(), weight.values.data(), bias.data(), kRows, kColumns, kOutputs,
                    wanted.data());
  for (size_t i = 0; i < wanted.size(); ++i) wanted[i] += residual[i];
  EXPECT_LE(nmse(y, wanted), kSameInput);
}

} // namespace
} // namespace llcuda
