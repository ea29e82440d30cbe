// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/linear/low_rank.cuh"

#include <gtest/gtest.h>

#include "codegen/kernels/linear/qkv_linear.cuh"
#include "codegen/reference/linear.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"

namespace llcuda {
namespace {

using namespace testing;

constexpr auto kF16 = WeightLayout::kF16Rows;
constexpr double kFloatSums = 1e-11; // f32 sums against double

std::vector<double> product(const TestWeight& weight, const std::vector<double>& x, int rows, int outputs) {
  std::vector<double> y(rows * outputs);
  reference::linear(x.data(), weight.values.data(), nullptr, rows, x.size() / rows, outputs, y.data());
  return y;
}

template <int kRows, int kRank, int kColumns, int kThreads>
void expectInner() {
  const TestWeight a(kF16, kRank, kColumns, 1);
  const std::vector<float> x = normalFloats(kRows * kColumns, 2);
  std::vector<float> low(kRows * kRank + 1, 7.f); // one more, to see that nothing is written past the end
  hostsim::launch({.grid = {kRank / kLowRankRows, 1, 1}, .block = kThreads}, [&] {
    lowRank<LowRankShape{.m = kRows, .rank = kRank, .k = kColumns}, kThreads>(a.blob.data(), x.data(), low.data());
  });
  EXPECT_EQ(low.back(), 7.f);
  low.pop_back();
  EXPECT_LE(nmse(low, product(a, {x.begin(), x.end()}, kRows, kRank)), kFloatSums);
}

// Rows that the warps share evenly, and rows whose last load not all of them have.
TEST(LowRank, InnerProducts) {
  expectInner<1, 32, 512, 128>();
  expectInner<3, 64, 608, 256>();
  expectInner<8, 32, 32, 32>();
}

/// Queries, and keys without an adapter, and values, of one x and one low.
template <int kRows, int kRank, DecodeCut kCut>
void expectAdded() {
  constexpr auto kQ = WeightLayout::kQ4_0Planes;
  constexpr int kColumns = 256, kQRows = 52, kKvRows = 20, kOutputs[] = {kQRows, kKvRows, kKvRows};
  const TestWeight weights[] = {{kQ, kQRows, kColumns, 1}, {kQ, kKvRows, kColumns, 2}, {kQ, kKvRows, kColumns, 3}};
  const TestWeight b[] = {{kF16, kQRows, kRank, 4}, {kF16, kKvRows, kRank, 5}, {kF16, kKvRows, kRank, 6}};
  const TestRows rows(kRows, kColumns, 7);
  const std::vector<float> low = normalFloats(kRows * kRank, 8);
  std::vector<float> y[] = {std::vector<float>(kRows * kQRows), std::vector<float>(kRows * kKvRows),
                            std::vector<float>(kRows * kKvRows)};
  constexpr int kBlocks = ceilDivide(kQRows, kDecodeRows) + 2 * ceilDivide(kKvRows, kDecodeRows);
  hostsim::launch({.grid = {kBlocks, 1, 1}, .block = kCut.slices * 32}, [&] {
    qkvLinear<QkvWeights{kQ, kQ, kQ}, QkvLinearShape{.m = kRows, .qN = kQRows, .kvN = kKvRows, .k = kColumns}, kCut,
              LinearParts{}, kRank>(weights[0].blob.data(), weights[1].blob.data(), weights[2].blob.data(),
                                    rows.x.data(), rows.few.codes.data(), rows.few.scales.data(), nullptr, nullptr,
                                    nullptr, y[0].data(), y[1].data(), y[2].data(),
                                    LowRank{low.data(), {b[0].blob.data(), nullptr, b[2].blob.data()}});
  });
  for (int part = 0; part < 3; ++part) {
    std::vector<double> wanted = product(weights[part], rows.seenBy(kQ), kRows, kOutputs[part]);
    const std::vector<double> added = product(b[part], {low.begin(), low.end()}, kRows, kOutputs[part]);
    for (size_t i = 0; part != 1 && i < wanted.size(); ++i) wanted[i] += added[i];
    EXPECT_LE(nmse(y[part], wanted), kFloatSums) << "part " << part;
  }
}

// Four granules for eight warps; for three warps several each, of which the last are not all there; rows of tensor
// cores, whose lanes store sums of other rows than those that they add to.
TEST(LowRank, OuterProductsAreAdded) {
  expectAdded<1, 32, DecodeCut{8, 1}>();
  expectAdded<2, 96, DecodeCut{3, 1}>();
  expectAdded<5, 64, DecodeCut{2, 2}>();
}

} // namespace
} // namespace llcuda
