// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/norm/post_norm.cuh"

#include <gtest/gtest.h>

#include <numeric>

#include "codegen/reference/rms_norm.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"
#include "tests/codegen/kernels/half_rows.h"

namespace llcuda {
namespace {

using namespace testing;

constexpr float kEps = 1e-6f;

/// Rows `pick` of a product and of a residual stream of `spread`; all rows, in order, without kPick.
template <int kColumns, int kThreads, bool kPick, RowOrder kOrder = RowOrder::kRows>
void expectPostNorm(const std::vector<int>& pick, float spread) {
  const size_t rows = pick.size(), sourceRows = rows + 2;
  const std::vector<float> x = normalFloats(sourceRows * kColumns, 1, spread / 100),
                           residual = normalFloats(sourceRows * kColumns, 2, spread),
                           postScale = normalFloats(kColumns, 3), scale = normalFloats(kColumns, 4);
  std::vector<float> sum(rows * kColumns, 7.f), y(rows * kColumns);
  Int8Rows int8(kOrder, rows, kColumns);
  hostsim::launch({.grid = {static_cast<uint32_t>(rows), 1, 1}, .block = kThreads}, [&] {
    postNorm<RowShape{.columns = kColumns, .threads = kThreads, .picked = kPick},
             RowForms{.f32 = true, .int8 = true, .order = kOrder}>(
        x.data(), residual.data(), postScale.data(), scale.data(), kPick ? pick.data() : nullptr, sum.data(), y.data(),
        int8.codes.data(), int8.scales.data(), kEps);
  });
  std::vector<double> wantedSum(rows * kColumns), wanted(rows * kColumns);
  for (size_t r = 0; r < rows; ++r) {
    if (pick[r] < 0)
      continue;
    double* to = &wantedSum[r * kColumns];
    reference::rmsNorm(&x[pick[r] * kColumns], postScale.data(), 1, kColumns, kEps, to);
    for (int c = 0; c < kColumns; ++c) to[c] += residual[pick[r] * kColumns + c];
  }
  reference::rmsNorm(wantedSum.data(), scale.data(), rows, kColumns, kEps, wanted.data());
  EXPECT_LE(nmse(sum, wantedSum), 1e-12);
  EXPECT_LE(nmse(y, wanted), 1e-12);
  EXPECT_LE(nmse(int8.values(), wanted), 1e-4);
  EXPECT_TRUE(int8.areConsistent());
}

// What the f32 rows are as f16 rows, bit for bit: of a block with idle threads, and of rows that registers do not keep.
template <int kColumns, int kThreads>
void expectPostNormHalves(uint32_t rows) {
  const std::vector<float> x = normalFloats(rows * kColumns, 1), residual = normalFloats(rows * kColumns, 2, 800000.f),
                           postScale = normalFloats(kColumns, 3), scale = normalFloats(kColumns, 4);
  std::vector<float> sum(rows * kColumns), y(rows * kColumns);
  TestHalfRows made(rows, kColumns);
  hostsim::launch({.grid = {rows, 1, 1}, .block = kThreads}, [&] {
    postNorm<RowShape{.columns = kColumns, .threads = kThreads}, RowForms{.f32 = true, .halves = true}>(
        x.data(), residual.data(), postScale.data(), scale.data(), nullptr, sum.data(), y.data(), nullptr, nullptr,
        kEps, reinterpret_cast<uint8_t*>(made.halves.data()), made.scales.data());
  });
  const TestHalfRows wanted(y, kColumns);
  EXPECT_EQ(made.halves, wanted.halves);
  for (uint32_t r = 0; r < rows; ++r) EXPECT_EQ(made.scales[r], wanted.scales[r]);
}
TEST(PostNorm, HalfRows) {
  expectPostNormHalves<640, 96>(19);
  expectPostNormHalves<1184, 32>(2);
}

// The sum is times a factor, and is what is emitted: of rows in registers, and of wider ones.
template <int kColumns, int kThreads, bool kCopied>
void expectSum() {
  constexpr SumForm kSum = {.factor = 0x3e800000 /* a quarter */, .copied = kCopied};
  const std::vector<float> x = normalFloats(2 * kColumns, 1), residual = normalFloats(2 * kColumns, 2),
                           postScale = normalFloats(kColumns, 3), scale = normalFloats(kColumns, 4);
  std::vector<float> sum(2 * kColumns), y(2 * kColumns);
  Int8Rows int8(RowOrder::kRows, 2, kColumns);
  hostsim::launch({.grid = {2, 1, 1}, .block = kThreads}, [&] {
    postNorm<RowShape{.columns = kColumns, .threads = kThreads}, RowForms{.f32 = true, .int8 = true}, kSum>(
        x.data(), residual.data(), postScale.data(), kCopied ? nullptr : scale.data(), nullptr, sum.data(), y.data(),
        int8.codes.data(), int8.scales.data(), kEps);
  });
  std::vector<double> wanted(2 * kColumns);
  reference::rmsNorm(x.data(), postScale.data(), 2, kColumns, kEps, wanted.data());
  for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = (wanted[i] + residual[i]) / 4;
  EXPECT_LE(nmse(sum, wanted), 1e-12);
  if (kCopied)
    EXPECT_EQ(y, sum);
  else
    reference::rmsNorm(wanted.data(), scale.data(), 2, kColumns, kEps, wanted.data());
  EXPECT_LE(nmse(y, wanted), 1e-12);
  EXPECT_LE(nmse(int8.values(), wanted), 1e-4);
  EXPECT_TRUE(int8.areConsistent());
}
TEST(PostNorm, WhatBecomesOfTheSum) {
  expectSum<640, 96, false>();
  expectSum<640, 96, true>();
  expectSum<1184, 32, true>();
}

// Gemma's residual stream: values near 800,000 must not overflow in either norm.
TEST(PostNorm, RowsInRegisters) {
  expectPostNorm<640, 96, false>({0, 1, 2}, 800000.f);
}

// More columns than the registers of a block keep: the sum is read back.
TEST(PostNorm, RowsTooWideForRegisters) {
  expectPostNorm<1184, 32, false>({0, 1}, 1.f);
}

TEST(PostNorm, RowsForTensorCores) {
  std::vector<int> all(19);
  std::iota(all.begin(), all.end(), 0);
  expectPostNorm<640, 96, false, RowOrder::kFragments>(all, 800000.f);
  expectPostNorm<1184, 32, false, RowOrder::kFragments>({0, 1}, 1.f);
}

// A row that nobody wants becomes zeros, not NaN.
TEST(PostNorm, PickedRows) {
  expectPostNorm<96, 32, true>({3, -1}, 1.f);
}

} // namespace
} // namespace llcuda
