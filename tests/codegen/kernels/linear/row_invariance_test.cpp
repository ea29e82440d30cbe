// SPDX-License-Identifier: Apache-2.0
// The bits of a row of y depend on that row of x alone: not on how many rows there are, on its place among them, or on
// the others. Speculation counts on it, and whoever wants the same answer whatever else is asked.
#include <gtest/gtest.h>

#include "codegen/kernels/linear/linear.cuh"
#include "codegen/kernels/linear/qkv_linear.cuh"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"
#include "tests/codegen/kernels/linear/all_layouts.h"
#include "tests/codegen/kernels/linear/expect_product.h"

namespace llcuda {
namespace {

using namespace testing;

template <typename L>
class RowInvariance : public ::testing::Test {};
TYPED_TEST_SUITE(RowInvariance, AllLayouts<LayoutType>, LayoutName);

constexpr int kColumns = 768, kOutputs = 44, kMostRows = 8;

/// Row `row` of a matrix of rows of `columns`.
std::vector<float> rowOf(const std::vector<float>& matrix, int row, int columns) {
  return {matrix.begin() + row * columns, matrix.begin() + (row + 1) * columns};
}

std::vector<float> joined(std::initializer_list<std::vector<float>> parts) {
  std::vector<float> all;
  for (const std::vector<float>& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// The first `kRows` of eight rows, from `first` on, by a linear with bias and residual.
template <WeightLayout kLayout, int kRows, DecodeCut kCut>
std::vector<float> productOf(const TestWeight& weight, int first) {
  const std::vector<float> x = normalFloats(kMostRows * kColumns, 2), residual = normalFloats(kMostRows * kOutputs, 3),
                           bias = normalFloats(kOutputs, 4);
  const TestRows rows({x.begin() + first * kColumns, x.begin() + (first + kRows) * kColumns}, kRows, kColumns);
  std::vector<float> y(kRows * kOutputs);
  launchAdding<kLayout, kColumns, kOutputs, kRows, kCut>(weight, rows, bias.data(), residual.data() + first * kOutputs,
                                                         y.data());
  return y;
}

// A row alone, at each place of two, of three, and of eight: of lanes and of tensor cores, and with other numbers of
// units ahead, as they are chosen for other numbers of rows, but of the same slices.
TYPED_TEST(RowInvariance, LinearWithBiasAndResidual) {
  constexpr WeightLayout kLayout = TypeParam::kLayout;
  const TestWeight weight(kLayout, kOutputs, kColumns, 1);
  const std::vector<float> eight = productOf<kLayout, 8, DecodeCut{2, 4}>(weight, 0);
  for (int row = 0; row < kMostRows; ++row)
    EXPECT_EQ(rowOf(eight, row, kOutputs), (productOf<kLayout, 1, DecodeCut{2, 8}>(weight, row))) << "row " << row;
  for (const int first : {0, 3, 6}) {
    const std::vector<float> two = productOf<kLayout, 2, DecodeCut{2, 2}>(weight, first);
    for (int row = 0; row < 2; ++row)
      EXPECT_EQ(rowOf(eight, first + row, kOutputs), rowOf(two, row, kOutputs)) << "row " << row << " from " << first;
  }
  for (const int first : {0, 1, 5}) {
    const std::vector<float> three = productOf<kLayout, 3, DecodeCut{2, 1}>(weight, first);
    for (int row = 0; row < 3; ++row)
      EXPECT_EQ(rowOf(eight, first + row, kOutputs), rowOf(three, row, kOutputs)) << "row " << row << " from " << first;
  }
}

/// q, k and v of rows [first, first + kRows), one after the other.
template <int kRows, DecodeCut kCut>
std::vector<std::vector<float>> qkvOf(const TestWeight& weight, int first) {
  constexpr WeightLayout kLayout = WeightLayout::kQ8_0Planes;
  const std::vector<float> x = normalFloats(kMostRows * kColumns, 2), bias = normalFloats(kOutputs, 4);
  const TestRows rows({x.begin() + first * kColumns, x.begin() + (first + kRows) * kColumns}, kRows, kColumns);
  std::vector<float> q(kRows * kOutputs), k(q), v(q);
  constexpr uint32_t kBlocks = 3 * ceilDivide(kOutputs, kDecodeRows);
  hostsim::launch({.grid = {kBlocks, 1, 1}, .block = kCut.slices * 32}, [&] {
    qkvLinear<QkvWeights{.q = kLayout, .k = kLayout, .v = kLayout},
              QkvLinearShape{.m = kRows, .qN = kOutputs, .kvN = kOutputs, .k = kColumns}, kCut,
              LinearParts{.bias = true}>(weight.blob.data(), weight.blob.data(), weight.blob.data(), nullptr,
                                         rows.few.codes.data(), rows.few.scales.data(), bias.data(), bias.data(),
                                         bias.data(), q.data(), k.data(), v.data());
  });
  std::vector<std::vector<float>> result;
  for (int row = 0; row < kRows; ++row)
    result.push_back(joined({rowOf(q, row, kOutputs), rowOf(k, row, kOutputs), rowOf(v, row, kOutputs)}));
  return result;
}

TEST(RowInvarianceOf, QkvLinearWithBias) {
  const TestWeight weight(WeightLayout::kQ8_0Planes, kOutputs, kColumns, 1);
  const auto eight = qkvOf<8, DecodeCut{6, 2}>(weight, 0);
  for (int row = 0; row < kMostRows; ++row)
    EXPECT_EQ(eight[row], (qkvOf<1, DecodeCut{6, 4}>(weight, row)[0])) << "row " << row;
}

} // namespace
} // namespace llcuda
