// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/linear/decode_low_rank.cuh"

#include "codegen/kernels/glu/glu_linear_prompt.cuh"
#include "codegen/kernels/linear/low_rank_prompt.cuh"
#include "codegen/kernels/linear/qkv_linear.cuh"
#include "codegen/kernels/linear/qkv_prompt.cuh"
#include "codegen/reference/glu.h"
#include "tests/codegen/kernels/linear/prompt_testing.h"

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

void add(std::vector<double>& to, const std::vector<double>& other) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += other[i];
}

/// Queries, and keys without an adapter, and values, of one x.
template <int kRank, DecodeCut kCut>
struct AddedParts {
  static constexpr auto kQ = WeightLayout::kQ4_0Planes;
  static constexpr int kColumns = 608, kQRows = 52, kKvRows = 20, kOutputs[] = {kQRows, kKvRows, kKvRows};
  const TestWeight weights[3] = {{kQ, kQRows, kColumns, 1}, {kQ, kKvRows, kColumns, 2}, {kQ, kKvRows, kColumns, 3}};
  const TestWeight b[3] = {{kF16, kQRows, kRank, 4}, {kF16, kKvRows, kRank, 5}, {kF16, kKvRows, kRank, 6}};
  const TestWeight a{kF16, kRank, kColumns, 8};
  std::vector<float> low, y[3];

  template <int kRows>
  void launch(const TestRows& rows) {
    low.assign(kRows * kRank + 1, 7.f); // one more, to see that nothing is written past the end
    for (int part = 0; part < 3; ++part) y[part].assign(kRows * kOutputs[part], 7.f);
    uint32_t counts[3] = {};
    constexpr int kBlocks = ceilDivide(kQRows, kDecodeRows) + 2 * ceilDivide(kKvRows, kDecodeRows);
    hostsim::launch({.grid = {kRank / kLowRankRows + kBlocks, 1, 1}, .block = kCut.slices * 32}, [&] {
      qkvLinear<QkvWeights{kQ, kQ, kQ}, QkvLinearShape{.m = kRows, .qN = kQRows, .kvN = kKvRows, .k = kColumns}, kCut,
                LinearParts{}, kRank>(
          weights[0].blob.data(), weights[1].blob.data(), weights[2].blob.data(), rows.x.data(), rows.few.codes.data(),
          rows.few.scales.data(), nullptr, nullptr, nullptr, y[0].data(), y[1].data(), y[2].data(),
          LowRank{low.data(), a.blob.data(), counts, {b[0].blob.data(), nullptr, b[2].blob.data()}});
    });
    EXPECT_EQ(low.back(), 7.f);
    low.pop_back();
    for (const uint32_t count : counts) EXPECT_EQ(count, 0u);
  }

  template <int kRows>
  void expectNear() {
    const TestRows rows(kRows, kColumns, 7);
    launch<kRows>(rows);
    EXPECT_LE(nmse(low, product(a, {rows.x.begin(), rows.x.end()}, kRows, kRank)), kFloatSums);
    for (int part = 0; part < 3; ++part) {
      std::vector<double> wanted = product(weights[part], rows.seenBy(kQ), kRows, kOutputs[part]);
      if (part != 1)
        add(wanted, product(b[part], {low.begin(), low.end()}, kRows, kOutputs[part]));
      EXPECT_LE(nmse(y[part], wanted), kFloatSums) << "part " << part;
    }
  }
};

// Granules of b: four for eight warps; for three warps several each, of which the last are not all there. Granules of a
// that the warps share evenly, and of which not all of them have the last load. Rows of tensor cores, whose lanes store
// sums of other rows than those that they add to.
TEST(LowRank, IsAdded) {
  AddedParts<32, DecodeCut{8, 1}>().expectNear<1>();
  AddedParts<96, DecodeCut{3, 1}>().expectNear<2>();
  AddedParts<64, DecodeCut{2, 2}>().expectNear<5>();
}

// A row has the same bits beside others as alone.
TEST(LowRank, BitsDoNotDependOnTheNumberOfRows) {
  AddedParts<32, DecodeCut{4, 1}> alone, beside;
  const TestRows rows(6, alone.kColumns, 7), first(1, alone.kColumns, 7);
  ASSERT_TRUE(std::equal(first.x.begin(), first.x.end(), rows.x.begin()));
  alone.launch<1>(first);
  beside.launch<6>(rows);
  for (int i = 0; i < 32; ++i) EXPECT_EQ(alone.low[i], beside.low[i]);
  for (int part = 0; part < 3; ++part)
    for (int i = 0; i < alone.kOutputs[part]; ++i) EXPECT_EQ(alone.y[part][i], beside.y[part][i]);
}

template <int kRows, int kRank, int kColumns, int kThreads>
std::vector<float> innerOfPrompt(const TestWeight& a, const std::vector<float>& x, const std::vector<int>& positions) {
  std::vector<float> low(kRows * kRank + 1, 7.f);
  const uint32_t tiles = ceilDivide(kRows, 16);
  hostsim::launch({.grid = {tiles, kRank / kLowRankColumns, 1}, .block = kThreads}, [&] {
    lowRankPrompt<LowRankShape{.m = kRows, .rank = kRank, .k = kColumns}, kThreads>(a.blob.data(), x.data(),
                                                                                    positions.data(), low.data());
  });
  EXPECT_EQ(low.back(), 7.f);
  low.pop_back();
  return low;
}

// Rows that end within a tile; chunks that the warps share evenly, and of which the last warps have one less.
TEST(LowRank, InnerProductsOfManyRows) {
  const TestWeight a(kF16, 64, 608, 1);
  const std::vector<float> x = normalFloats(37 * 608, 2);
  const std::vector<double> wanted = product(a, {x.begin(), x.end()}, 37, 64);
  const std::vector<int> positions(37, 0);
  EXPECT_LE(nmse(innerOfPrompt<37, 64, 608, 512>(a, x, positions), wanted), kF16Error);
  EXPECT_LE(nmse(innerOfPrompt<37, 64, 608, 32>(a, x, positions), wanted), kF16Error);
}

// Elements far beyond f16, beside others far below its normal numbers: each chunk of a row has a power of two.
TEST(LowRank, NothingOverflows) {
  const TestWeight a(kF16, 32, 64, 1);
  std::vector<float> x = normalFloats(16 * 64, 2);
  for (int c = 0; c < 64; ++c) x[3 * 64 + c] *= 1e6f, x[9 * 64 + c] *= 1e-9f;
  const std::vector<float> low = innerOfPrompt<16, 32, 64, 64>(a, x, std::vector<int>(16, 0));
  const std::vector<double> wanted = product(a, {x.begin(), x.end()}, 16, 32);
  for (const int row : {3, 9})
    EXPECT_LE(nmse(std::vector<float>(&low[row * 32], &low[row * 32 + 32]),
                   std::vector<double>(&wanted[row * 32], &wanted[row * 32 + 32])),
              kF16Error);
}

// A tile of padding keeps what it held; padding within a tile does not touch its neighbours.
TEST(LowRank, PaddingIsLeftOut) {
  const TestWeight a(kF16, 32, 64, 1);
  std::vector<float> x = normalFloats(32 * 64, 2);
  std::vector<int> positions(32, -1);
  positions[20] = 5;
  for (int c = 0; c < 64; ++c) x[19 * 64 + c] = NAN;
  const std::vector<float> low = innerOfPrompt<32, 32, 64, 64>(a, x, positions);
  for (int i = 0; i < 16 * 32; ++i) ASSERT_EQ(low[i], 7.f);
  const std::vector<float> row(&x[20 * 64], &x[21 * 64]);
  EXPECT_LE(nmse(std::vector<float>(&low[20 * 32], &low[21 * 32]), product(a, {row.begin(), row.end()}, 1, 32)),
            kF16Error);
}

/// A linear of many rows with a residual.
template <WeightLayout kLayout, int kRank, typename Tile>
void expectAddedToPrompt(int rows, int outputs) {
  constexpr int kColumns = 256;
  const TestWeight weight(kLayout, outputs, kColumns, 1), b(kF16, outputs, kRank, 2);
  const PromptInput input(rows, kColumns, 3);
  std::vector<float> low = normalFloats(rows * kRank, 4);
  const std::vector<float> residual = normalFloats(rows * outputs, 5);
  const std::vector<int> positions(rows, 0);
  std::vector<float> y = residual;
  hostsim::launch({.grid = {uint32_t(ceilDivide(rows, Tile::kRows)), uint32_t(ceilDivide(outputs, Tile::kColumns))},
                   .block = Tile::kThreads},
                  [&] {
                    linearPromptOf<kLayout, kColumns, Tile, kRank>(
                        rows, outputs, weight.blob.data(), input.rows(), input.halfRows(), positions.data(), nullptr,
                        y.data(), y.data(), LowRank{low.data(), nullptr, nullptr, {b.blob.data()}});
                  });
  std::vector<double> wanted = product(weight, input.seenBy(kLayout), rows, outputs);
  add(wanted, product(b, {low.begin(), low.end()}, rows, outputs));
  add(wanted, {residual.begin(), residual.end()});
  EXPECT_LE(nmse(y, wanted), kF16Error);
}

// Rows and outputs that end within a tile, warps above each other, depths of which one has the whole sums.
TEST(LowRank, OuterProductsOfManyRows) {
  expectAddedToPrompt<WeightLayout::kQ4_0Planes, 32, PromptTile<PromptCut{64, 64, 2, 2}>>(70, 90);
  expectAddedToPrompt<WeightLayout::kQ6_KPlanes, 64, PromptTile<PromptCut{16, 32, 1, 1, 4}>>(9, 33);
  expectAddedToPrompt<kF16, 32, PromptTile<PromptCut{32, 32, 2, 1}>>(20, 36);
}

// Queries and values have an adapter, keys have none.
TEST(LowRank, OuterProductsOfPromptParts) {
  constexpr auto kQ = WeightLayout::kQ8_0Planes;
  using Tile = PromptTile<PromptCut{32, 32, 2, 1}>;
  constexpr int kRows = 40, kColumns = 96, kRank = 32, kOutputs[] = {70, 36, 36};
  const TestWeight weights[] = {{kQ, 70, kColumns, 1}, {kQ, 36, kColumns, 2}, {kQ, 36, kColumns, 3}};
  const TestWeight b[] = {{kF16, 70, kRank, 4}, {kF16, 36, kRank, 5}, {kF16, 36, kRank, 6}};
  const PromptInput input(kRows, kColumns, 7);
  std::vector<float> low = normalFloats(kRows * kRank, 8);
  const std::vector<int> positions(kRows, 0);
  std::vector<float> y[] = {std::vector<float>(kRows * 70), std::vector<float>(kRows * 36),
                            std::vector<float>(kRows * 36)};
  const auto part = [&](int i, bool adapted) {
    return PromptPart{
        weights[i].blob.data(), {nullptr, nullptr, y[i].data(), kOutputs[i]}, adapted ? b[i].blob.data() : nullptr};
  };
  hostsim::launch({.grid = {2, 3 + 2 + 2}, .block = Tile::kThreads}, [&] {
    qkvPromptOf<QkvWeights{kQ, kQ, kQ}, kColumns, Tile, kRank>({input.rows(), input.halfRows(), kRows},
                                                               positions.data(), part(0, true), part(1, false),
                                                               part(2, true), low.data());
  });
  for (int i = 0; i < 3; ++i) {
    std::vector<double> wanted = product(weights[i], input.seenBy(kQ), kRows, kOutputs[i]);
    if (i != 1)
      add(wanted, product(b[i], {low.begin(), low.end()}, kRows, kOutputs[i]));
    EXPECT_LE(nmse(y[i], wanted), kF16Error) << "part " << i;
  }
}

/// Gate and up, of which one may have no adapter.
void expectGated(bool gateAdapted, bool upAdapted) {
  constexpr auto kQ = WeightLayout::kQ4_0Planes;
  using Tile = PromptTile<PromptCut{64, 128, 1, 4}>;
  constexpr int kRows = 70, kColumns = 96, kRank = 64, kOutputs = 96;
  const TestWeight gate(kQ, kOutputs, kColumns, 1), up(kQ, kOutputs, kColumns, 2), gateB(kF16, kOutputs, kRank, 3),
      upB(kF16, kOutputs, kRank, 4);
  const PromptInput input(kRows, kColumns, 5);
  std::vector<float> low = normalFloats(kRows * kRank, 6);
  const std::vector<int> positions(kRows, 0);
  std::vector<float> y(kRows * kOutputs);
  hostsim::launch({.grid = {2, 2}, .block = Tile::kThreads}, [&] {
    gluLinearPromptOf<kQ, kColumns, Tile, Activation::kSilu, kRank>(
        {input.rows(), input.halfRows(), kRows}, kOutputs, gate.blob.data(), up.blob.data(), positions.data(),
        RowOutput<RowForms{.f32 = true}>{y.data(), nullptr, nullptr},
        LowRank{low.data(),
                nullptr,
                nullptr,
                {gateAdapted ? gateB.blob.data() : nullptr, upAdapted ? upB.blob.data() : nullptr}});
  });
  const std::vector<double> rows = {low.begin(), low.end()};
  std::vector<double> gates = product(gate, input.seenBy(kQ), kRows, kOutputs);
  std::vector<double> ups = product(up, input.seenBy(kQ), kRows, kOutputs), wanted(y.size());
  if (gateAdapted)
    add(gates, product(gateB, rows, kRows, kOutputs));
  if (upAdapted)
    add(ups, product(upB, rows, kRows, kOutputs));
  reference::glu(Activation::kSilu, gates.data(), ups.data(), wanted.size(), wanted.data());
  EXPECT_LE(nmse(y, wanted), kF16Error);
}

TEST(LowRank, OuterProductsOfGatedPrompts) {
  expectGated(true, true);
  expectGated(true, false);
  expectGated(false, true);
}

} // namespace
} // namespace llcuda
