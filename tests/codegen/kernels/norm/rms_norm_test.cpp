// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/norm/rms_norm.cuh"

#include <gtest/gtest.h>

#include "codegen/kernels/norm/quantize.cuh"
#include "codegen/reference/rms_norm.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"
#include "tests/codegen/kernels/half_rows.h"

namespace llcuda {
namespace {

using namespace testing;

constexpr float kEps = 1e-5f;

template <int kColumns, int kThreads, RowOrder kOrder = RowOrder::kRows>
void expectNorm(const std::vector<float>& x) {
  const uint32_t rows = x.size() / kColumns;
  const std::vector<float> scale = normalFloats(kColumns, 7);
  std::vector<float> y(x.size());
  Int8Rows int8(kOrder, rows, kColumns);
  hostsim::launch({.grid = {rows, 1, 1}, .block = kThreads}, [&] {
    rmsNorm<RowShape{.columns = kColumns, .threads = kThreads}, RowForms{.f32 = true, .int8 = true, .order = kOrder}>(
        x.data(), scale.data(), nullptr, y.data(), int8.codes.data(), int8.scales.data(), kEps);
  });
  std::vector<double> wanted(x.size());
  reference::rmsNorm(x.data(), scale.data(), rows, kColumns, kEps, wanted.data());
  EXPECT_LE(nmse(y, wanted), 1e-12);
  EXPECT_LE(nmse(int8.values(), wanted), 1e-4);
  EXPECT_TRUE(int8.areConsistent());
}

// Rows of two tiles, the second of which is not full.
TEST(RmsNorm, RowsForTensorCores) {
  expectNorm<576, 64, RowOrder::kFragments>(normalFloats(27 * 576, 11));
  expectNorm<32, 128, RowOrder::kFragments>(normalFloats(3 * 32, 12));
  expectNorm<576, 64, RowOrder::kEightRows>(normalFloats(5 * 576, 14));
}

template <int kColumns, int kThreads>
void expectHalves(const std::vector<float>& x) {
  const uint32_t rows = x.size() / kColumns;
  const std::vector<float> scale = normalFloats(kColumns, 7);
  std::vector<float> y(x.size());
  TestHalfRows made(rows, kColumns);
  hostsim::launch({.grid = {rows, 1, 1}, .block = kThreads}, [&] {
    rmsNorm<RowShape{.columns = kColumns, .threads = kThreads}, RowForms{.f32 = true, .halves = true}>(
        x.data(), scale.data(), nullptr, y.data(), nullptr, nullptr, kEps,
        reinterpret_cast<uint8_t*>(made.halves.data()), made.scales.data());
  });
  const TestHalfRows wanted(y, kColumns);
  EXPECT_EQ(made.halves, wanted.halves);
  for (uint32_t r = 0; r < rows; ++r) EXPECT_EQ(made.scales[r], wanted.scales[r]);
}

// What the f32 rows are as f16 rows, bit for bit: of a block with idle threads, and of rows that registers do not keep.
TEST(RmsNorm, HalfRows) {
  expectHalves<576, 64>(normalFloats(19 * 576, 13, 1000.f));
  expectHalves<1312, 32>(normalFloats(2 * 1312, 14));
}

// The last pass of the block has threads without elements.
TEST(RmsNorm, ColumnsThatDoNotFillTheBlock) {
  expectNorm<576, 64>(normalFloats(3 * 576, 1));
}

TEST(RmsNorm, OneBlockOfInt8) {
  expectNorm<32, 128>(normalFloats(2 * 32, 2));
}

// A loud row next to a quiet one: a sum that leaks between rows would silence the quiet one.
TEST(RmsNorm, RowsDoNotMix) {
  std::vector<float> x = normalFloats(2 * 256, 3);
  for (int i = 0; i < 256; ++i) x[i] *= 1000.f;
  for (int i = 256; i < 512; ++i) x[i] *= 0.01f;
  expectNorm<256, 32>(x);
}

// Gemma's residual stream: squares near 1e12 must not overflow on the way.
TEST(RmsNorm, LargeValues) {
  expectNorm<640, 160>(normalFloats(640, 4, 800000.f));
}

// A row of zeros has no scale of its own: zeros, not NaN.
TEST(RmsNorm, ZeroRow) {
  const std::vector<float> x(64, 0.f), scale(64, 1.f);
  std::vector<int8_t> codes(64, 1);
  std::vector<float2> scales(2, {1.f, 1.f});
  hostsim::launch({.grid = {1, 1, 1}, .block = 32}, [&] {
    rmsNorm<RowShape{.columns = 64, .threads = 32}, RowForms{.int8 = true}>(x.data(), scale.data(), nullptr, nullptr,
                                                                            codes.data(), scales.data(), kEps);
  });
  EXPECT_EQ(codes, std::vector<int8_t>(64, 0));
  EXPECT_EQ(scales[1].x, 0.f);
  EXPECT_EQ(scales[1].y, 0.f);
}

// y may be x: the block has read the row before it stores any of it.
TEST(RmsNorm, InPlace) {
  std::vector<float> x = normalFloats(576, 5), y = x;
  const std::vector<float> scale = normalFloats(576, 6);
  hostsim::launch({.grid = {1, 1, 1}, .block = 64}, [&] {
    rmsNorm<RowShape{.columns = 576, .threads = 64}, RowForms{.f32 = true}>(y.data(), scale.data(), nullptr, y.data(),
                                                                            nullptr, nullptr, kEps);
  });
  std::vector<double> wanted(576);
  reference::rmsNorm(x.data(), scale.data(), 1, 576, kEps, wanted.data());
  EXPECT_LE(nmse(y, wanted), 1e-12);
}

TEST(RmsNorm, PicksRows) {
  const std::vector<float> x = normalFloats(5 * 64, 8), scale(64, 2.f);
  const std::vector<int> pick = {3, -1, 0};
  std::vector<float> y(3 * 64, 9.f);
  hostsim::launch({.grid = {3, 1, 1}, .block = 32}, [&] {
    rmsNorm<RowShape{.columns = 64, .threads = 32, .picked = true}, RowForms{.f32 = true}>(
        x.data(), scale.data(), pick.data(), y.data(), nullptr, nullptr, kEps);
  });
  std::vector<double> all(x.size()), wanted(3 * 64, 0.);
  reference::rmsNorm(x.data(), scale.data(), 5, 64, kEps, all.data());
  std::copy_n(all.begin() + 3 * 64, 64, wanted.begin());
  std::copy_n(all.begin(), 64, wanted.begin() + 2 * 64);
  EXPECT_LE(nmse(y, wanted), 1e-12);
}

// Codes may differ by one from the reference where a value lies next to the middle of two codes, and nowhere else.
template <RowOrder kOrder, int kRows>
void expectQuantized(const TestRows& rows) {
  constexpr int kThreads = 64;
  Int8Rows int8(kOrder, kRows, 160);
  const size_t each = elementsOfThread(kOrder) * kThreads, blocks = (int8.codes.size() + each - 1) / each;
  hostsim::launch({.grid = {static_cast<uint32_t>(blocks), 1, 1}, .block = kThreads}, [&] {
    quantize<RowsShape{.rows = kRows, .columns = 160, .threads = kThreads}, kOrder>(rows.x.data(), int8.codes.data(),
                                                                                    int8.scales.data());
  });
  for (size_t r = 0; r < kRows; ++r)
    for (size_t c = 0; c < 160; ++c) {
      const float d = rows.scales[(r * 160 + c) / 32].d;
      EXPECT_FLOAT_EQ(int8.d(r, c / 32), d);
      EXPECT_LE(std::abs(d * int8.code(r, c) - rows.x[r * 160 + c]), d * 0.50001f) << "row " << r << " column " << c;
    }
  EXPECT_TRUE(int8.areConsistent());
}
TEST(Quantize, AgreesWithTheReference) {
  expectQuantized<RowOrder::kRows, 5>(TestRows(5, 160, 9));
}
TEST(Quantize, RowsForTensorCores) {
  expectQuantized<RowOrder::kFragments, 21>(TestRows(21, 160, 10));
  expectQuantized<RowOrder::kEightRows, 7>(TestRows(7, 160, 13));
}

} // namespace
} // namespace llcuda
