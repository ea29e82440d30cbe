// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/norm/half_rows.cuh"

#include <gtest/gtest.h>

#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"
#include "tests/codegen/kernels/half_rows.h"

namespace llcuda {
namespace {

using namespace testing;

template <int kColumns, int kThreads>
void expectHalfRows(const std::vector<float>& x) {
  const auto rows = static_cast<uint32_t>(x.size() / kColumns);
  TestHalfRows made(rows, kColumns), wanted(x, kColumns);
  hostsim::launch({.grid = {rows, 1, 1}, .block = kThreads}, [&] {
    halfRows<RowShape{.columns = kColumns, .threads = kThreads}>(
        x.data(), reinterpret_cast<uint8_t*>(made.halves.data()), made.scales.data());
  });
  EXPECT_EQ(made.halves, wanted.halves);
  for (uint32_t r = 0; r < rows; ++r) EXPECT_EQ(made.scales[r], wanted.scales[r]);
}

// Rows of two tiles, the second of which is not full and keeps what it held; the last pass has threads without
// elements.
TEST(HalfRows, ColumnsThatDoNotFillTheBlock) {
  expectHalfRows<576, 64>(normalFloats(27 * 576, 1));
  expectHalfRows<32, 128>(normalFloats(3 * 32, 2));
}

// More than registers keep is read again.
TEST(HalfRows, LongRows) {
  expectHalfRows<1312, 32>(normalFloats(2 * 1312, 3));
}

// Gemma's residual stream, rows near the ends of f32, a row of zeros and one of the smallest numbers: a power that is
// no normal number, or one that lets an element overflow, would show. Each row has its own.
TEST(HalfRows, RowsOfAnySize) {
  std::vector<float> x = normalFloats(7 * 96, 4);
  const float sizes[] = {8e5f, 1e30f, 3e37f, 1e-30f, 1e-38f, 1.f, 0.f};
  for (size_t i = 0; i < x.size(); ++i) x[i] *= sizes[i / 96];
  x[5 * 96 + 3] = 0x1.fffffep+20f; // rounds to the power above it
  expectHalfRows<96, 32>(x);
}

} // namespace
} // namespace llcuda
