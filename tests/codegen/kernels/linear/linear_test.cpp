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

// SmolLM2's width: 18 blocks, which four warps share unevenly.
TYPED_TEST(LinearOf, SlicesOfDifferentLengths) {
  expectProduct<TypeParam::kLayout, 576, 64, 1, DecodeCut{4, 2}>();
}

// Nine slices of two blocks, which have fewer units than are loaded ahead.
TYPED_TEST(LinearOf, SlicesShorterThanWhatIsLoadedAhead) {
  expectProduct<TypeParam::kLayout, 576, 64, 3, DecodeCut{9, 4}>();
}

// One block of 32 and an odd number of outputs: rows of the last tile that are not there must not be stored. Seven
// warps find no work.
TYPED_TEST(LinearOf, OneBlockAndOddOutputs) {
  expectProduct<TypeParam::kLayout, 32, 37, 2, DecodeCut{8, 4}>();
}

// Several turns of the loop that loads ahead, with a last one that is not full.
TYPED_TEST(LinearOf, RowsLongerThanWhatIsLoadedAhead) {
  expectProduct<TypeParam::kLayout, 4768, 6, 1, DecodeCut{2, 8}>();
}

// More sums than a block of one warp has threads.
TYPED_TEST(LinearOf, EightRows) {
  expectProduct<TypeParam::kLayout, 256, 33, 8, DecodeCut{1, 4}>();
}

TYPED_TEST(LinearOf, FourRows) {
  expectProduct<TypeParam::kLayout, 512, 20, 4, DecodeCut{4, 2}>();
}

// Three rows: lanes of tensor cores that answer for none must stay silent.
TYPED_TEST(LinearOf, ThreeRows) {
  expectProduct<TypeParam::kLayout, 96, 11, 3, DecodeCut{3, 1}>();
}

TYPED_TEST(LinearOf, OneOutput) {
  expectProduct<TypeParam::kLayout, 64, 1, 1, DecodeCut{2, 1}>();
}

// y is the residual itself: a row that is added twice shows.
TEST(Linear, AddsBiasAndResidualInPlaceOnce) {
  constexpr int kColumns = 64, kOutputs = 45, kRows = 2;
  constexpr auto kLayout = WeightLayout::kQ4_1Planes;
  const TestWeight weight(kLayout, kOutputs, kColumns, 3);
  const TestRows rows(kRows, kColumns, 4);
  const std::vector<float> bias = normalFloats(kOutputs, 5), residual = normalFloats(kRows * kOutputs, 6);
  std::vector<float> y = residual;
  launchAdding<kLayout, kColumns, kOutputs, kRows, DecodeCut{2, 1}>(weight, rows, bias.data(), y.data(), y.data());
  std::vector<double> wanted(kRows * kOutputs);
  reference::linear(rows.seenBy(kLayout).data(), weight.values.data(), bias.data(), kRows, kColumns, kOutputs,
                    wanted.data());
  for (size_t i = 0; i < wanted.size(); ++i) wanted[i] += residual[i];
  EXPECT_LE(nmse(y, wanted), kSameInput);
}

} // namespace
} // namespace llcuda
