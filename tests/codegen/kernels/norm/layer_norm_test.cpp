// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/norm/layer_norm.cuh"

#include <gtest/gtest.h>

#include "codegen/reference/layer_norm.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"
#include "tests/codegen/kernels/half_rows.h"

namespace llcuda {
namespace {

using namespace testing;

constexpr float kEps = 1e-5f;

template <int kColumns, int kThreads, RowOrder kOrder = RowOrder::kRows>
void expectNorm(const std::vector<float>& x, bool shifted = true) {
  const uint32_t rows = x.size() / kColumns;
  const std::vector<float> scale = normalFloats(kColumns, 7), shift = normalFloats(kColumns, 8);
  std::vector<float> y(x.size());
  Int8Rows int8(kOrder, rows, kColumns);
  hostsim::launch({.grid = {rows, 1, 1}, .block = kThreads}, [&] {
    layerNorm<RowShape{.columns = kColumns, .threads = kThreads}, RowForms{.f32 = true, .int8 = true, .order = kOrder}>(
        x.data(), scale.data(), shifted ? shift.data() : nullptr, y.data(), int8.codes.data(), int8.scales.data(),
        kEps);
  });
  std::vector<double> wanted(x.size());
  reference::layerNorm(x.data(), scale.data(), shifted ? shift.data() : nullptr, rows, kColumns, kEps, wanted.data());
  EXPECT_LE(nmse(y, wanted), 1e-11);
  EXPECT_LE(nmse(int8.values(), wanted), 1e-4);
  EXPECT_TRUE(int8.areConsistent());
}

// The last pass of the block has threads without elements, whose differences to the mean count for nothing.
TEST(LayerNorm, ColumnsThatDoNotFillTheBlock) {
  expectNorm<384, 64>(normalFloats(3 * 384, 1));
  expectNorm<32, 128>(normalFloats(2 * 32, 2));
}

TEST(LayerNorm, WithoutAShift) {
  expectNorm<384, 96>(normalFloats(3 * 384, 3), /*shifted=*/false);
}

// Rows that registers do not keep are read three times.
TEST(LayerNorm, LongRows) {
  expectNorm<1312, 32>(normalFloats(2 * 1312, 4));
}

TEST(LayerNorm, RowsForTensorCores) {
  expectNorm<384, 64, RowOrder::kFragments>(normalFloats(27 * 384, 5));
}

// A mean a thousand times the spread: squares of the elements themselves would leave no digit of the variance.
TEST(LayerNorm, FarFromZero) {
  std::vector<float> x = normalFloats(2 * 384, 6);
  for (float& value : x) value += 1000.f;
  expectNorm<384, 96>(x);
}

// What the f32 rows are as f16 rows, bit for bit.
TEST(LayerNorm, HalfRows) {
  constexpr int kColumns = 384;
  const std::vector<float> x = normalFloats(19 * kColumns, 9, 100.f), scale = normalFloats(kColumns, 7);
  std::vector<float> y(x.size());
  TestHalfRows made(19, kColumns);
  hostsim::launch({.grid = {19, 1, 1}, .block = 96}, [&] {
    layerNorm<RowShape{.columns = kColumns, .threads = 96}, RowForms{.f32 = true, .halves = true}>(
        x.data(), scale.data(), nullptr, y.data(), nullptr, nullptr, kEps,
        reinterpret_cast<uint8_t*>(made.halves.data()), made.scales.data());
  });
  const TestHalfRows wanted(y, kColumns);
  EXPECT_EQ(made.halves, wanted.halves);
  for (uint32_t r = 0; r < 19; ++r) EXPECT_EQ(made.scales[r], wanted.scales[r]);
}

// A row of equal elements has nothing but its shift.
TEST(LayerNorm, ConstantRow) {
  const std::vector<float> x(64, 3.f), scale(64, 2.f), shift(64, 0.5f);
  std::vector<float> y(64);
  hostsim::launch({.grid = {1, 1, 1}, .block = 32}, [&] {
    layerNorm<RowShape{.columns = 64, .threads = 32}, RowForms{.f32 = true}>(x.data(), scale.data(), shift.data(),
                                                                             y.data(), nullptr, nullptr, kEps);
  });
  EXPECT_EQ(y, shift);
}

} // namespace
} // namespace llcuda
