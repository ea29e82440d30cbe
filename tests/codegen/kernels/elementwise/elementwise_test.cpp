// SPDX-License-Identifier: Apache-2.0
// Each kernel with a count that leaves threads of the last block without an element.
#include <gtest/gtest.h>

#include "codegen/kernels/elementwise/add.cuh"
#include "codegen/kernels/elementwise/pick_rows.cuh"
#include "codegen/kernels/elementwise/scale.cuh"
#include "codegen/kernels/elementwise/softcap.cuh"
#include "codegen/kernels/elementwise/sum_rows.cuh"
#include "codegen/kernels/elementwise/take_columns.cuh"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"

namespace llcuda {
namespace {

using testing::normalFloats;

constexpr int kThreads = 32, kCount = 100;

TEST(Elementwise, Add) {
  const std::vector<float> a = normalFloats(4 * kCount, 1, 800000.f), b = normalFloats(4 * kCount, 2);
  std::vector<float> y = b; // in place
  hostsim::launch({.grid = {4, 1, 1}, .block = kThreads},
                  [&] { add<FlatShape{.elements = 4 * kCount, .threads = kThreads}>(a.data(), y.data(), y.data()); });
  for (size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], a[i] + b[i]);
}

TEST(Elementwise, Scale) {
  const std::vector<float> x = normalFloats(kCount, 3);
  std::vector<float> y(kCount + 1, 7.f);
  hostsim::launch({.grid = {4, 1, 1}, .block = kThreads},
                  [&] { scale<FlatShape{.elements = kCount, .threads = kThreads}>(x.data(), y.data(), 25.5f); });
  for (int i = 0; i < kCount; ++i) ASSERT_EQ(y[i], x[i] * 25.5f);
  EXPECT_EQ(y[kCount], 7.f);
}

// Far beyond the cap and close to zero: neither may become infinite or NaN.
TEST(Elementwise, Softcap) {
  constexpr float kCap = 30.f;
  std::vector<float> x = normalFloats(kCount, 4, 40.f);
  x[0] = 1e6f, x[1] = -1e6f, x[2] = 1e-3f, x[3] = 0.f;
  std::vector<float> y(kCount);
  hostsim::launch({.grid = {4, 1, 1}, .block = kThreads},
                  [&] { softcap<FlatShape{.elements = kCount, .threads = kThreads}>(x.data(), y.data(), kCap); });
  for (int i = 0; i < kCount; ++i) ASSERT_NEAR(y[i], kCap * std::tanh(double(x[i]) / kCap), kCap * 0x1p-20);
}

// The last 8 of every 20 columns, of three groups in each of two rows.
TEST(Elementwise, TakeColumns) {
  const std::vector<float> x = normalFloats(2 * 60, 6);
  std::vector<float> y(2 * 24 + 1, 7.f);
  hostsim::launch({.grid = {1, 1, 1}, .block = kThreads}, [&] {
    takeColumns<TakeShape{.elements = 48, .count = 8, .group = 20, .first = 12, .threads = kThreads}>(x.data(),
                                                                                                      y.data());
  });
  for (int i = 0; i < 48; ++i) ASSERT_EQ(y[i], x[i / 8 * 20 + 12 + i % 8]) << i;
  EXPECT_EQ(y[48], 7.f);
}

TEST(Elementwise, PickRows) {
  constexpr int kColumns = 136;
  const std::vector<float> x = normalFloats(3 * kColumns, 5);
  const std::vector<int> pick = {2, -1};
  std::vector<float> y(2 * kColumns, 7.f);
  hostsim::launch({.grid = {2, 1, 1}, .block = kThreads}, [&] {
    pickRows<RowShape{.columns = kColumns, .threads = kThreads}>(x.data(), pick.data(), y.data());
  });
  for (int i = 0; i < kColumns; ++i) {
    ASSERT_EQ(y[i], x[2 * kColumns + i]);
    ASSERT_EQ(y[kColumns + i], 0.f);
  }
}

// Rows before and behind a range count for nothing, and an empty one gives zeros. More columns than a block has.
TEST(Elementwise, SumRows) {
  constexpr int kColumns = 136;
  const std::vector<float> x = normalFloats(5 * kColumns, 6);
  const std::vector<int> pool = {1, 3, 0, 0, 4, 1};
  std::vector<float> y(3 * kColumns, 7.f);
  hostsim::launch({.grid = {2, 3, 1}, .block = kThreads}, [&] {
    sumRows<RowShape{.columns = kColumns, .threads = kThreads}>(x.data(), pool.data(), y.data());
  });
  for (int i = 0; i < kColumns; ++i) {
    const double sum = double(x[kColumns + i]) + x[2 * kColumns + i] + x[3 * kColumns + i];
    ASSERT_NEAR(y[i], sum, 1e-5);
    ASSERT_EQ(y[kColumns + i], 0.f);
    ASSERT_EQ(y[2 * kColumns + i], x[4 * kColumns + i]);
  }
}

} // namespace
} // namespace llcuda
