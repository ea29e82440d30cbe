// SPDX-License-Identifier: Apache-2.0
// Every layout in the decode linear: batches of 1, 2, 5 and 8, an odd number of outputs, rows of three blocks, so that
// they begin at odd places of the planes.
#include <gtest/gtest.h>

#include "codegen/kernels/embed/embedding.cuh"
#include "tests/codegen/kernels/linear/all_layouts.h"
#include "tests/codegen/kernels/linear/expect_product.h"

namespace llcuda {
namespace {

using namespace testing;

template <WeightLayout kLayoutArg>
struct Layout {
  static constexpr WeightLayout kLayout = kLayoutArg;
  // s8_planes are made from encodings of blocks of up to 256.
  static constexpr int kBlock = kLayout == WeightLayout::kS8Planes ? 256 : weightBlockBytes(kLayout).columns;
  static constexpr int kColumns = 3 * kBlock;
};

template <typename L>
class Encoding : public ::testing::Test {};
using Layouts = AllLayouts<Layout>;
TYPED_TEST_SUITE(Encoding, Layouts, LayoutName);

TYPED_TEST(Encoding, OneRow) {
  expectProduct<TypeParam::kLayout, TypeParam::kColumns, 39, 1, DecodeCut{3, 2}>();
}
TYPED_TEST(Encoding, TwoRows) {
  expectProduct<TypeParam::kLayout, TypeParam::kColumns, 7, 2, DecodeCut{1, 8}>();
}
TYPED_TEST(Encoding, FiveRows) {
  expectProduct<TypeParam::kLayout, TypeParam::kColumns, 5, 5, DecodeCut{2, 4}>();
}
TYPED_TEST(Encoding, EightRows) {
  expectProduct<TypeParam::kLayout, TypeParam::kColumns, 9, 8, DecodeCut{2, 1}>();
}

/// What the embedding reads is what the codec gives.
TYPED_TEST(Encoding, EmbeddingRowsAreTheCodecsValues) {
  constexpr int kVocabulary = 5, kColumns = TypeParam::kColumns;
  const TestWeight weight(TypeParam::kLayout, kVocabulary, kColumns, 3);
  const std::vector<int> tokens = {4, 0, 3};
  std::vector<float> y(tokens.size() * kColumns);
  hostsim::launch({.grid = {3, 1, 1}, .block = 32}, [&] {
    embedding<EmbeddingShape{
        .layout = TypeParam::kLayout, .vocabulary = kVocabulary, .columns = kColumns, .threads = 32}>(
        weight.blob.data(), tokens.data(), y.data(), 1.f);
  });
  for (size_t t = 0; t < tokens.size(); ++t)
    for (int c = 0; c < kColumns; ++c)
      ASSERT_EQ(y[t * kColumns + c], weight.values[tokens[t] * kColumns + c]) << "token " << t << " column " << c;
}

} // namespace
} // namespace llcuda
