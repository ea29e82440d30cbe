// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/linear/qkv_rope_cache.cuh"

#include <gtest/gtest.h>

#include "codegen/reference/cache_rounding.h"
#include "codegen/reference/linear.h"
#include "codegen/reference/rope.h"
#include "codegen/reference/rope_table.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/attention/paged_cache.h"
#include "tests/codegen/kernels/decode_testing.h"

namespace llcuda {
namespace {

using namespace testing;

constexpr int kColumns = 96, kHeads = 3, kKvHeads = 1, kHeadSize = 24, kMaxPages = 3, kPages = 5;
constexpr int kPageHalves = kKvHeads * 64 * kHeadSize, kGuardPages = 2;
constexpr Half kUntouched = {0x1234};

/// Rows of three encodings; slots and pages in no order; k and v pages that must change in one place only.
template <int kRows, int kDimensions, bool kBias, DecodeCut kCut>
struct Step {
  static constexpr auto kQ = WeightLayout::kQ4_1Planes, kK = WeightLayout::kF16Rows, kV = WeightLayout::kQ8_0Planes;
  static constexpr QkvLinearShape kShape = {
      .m = kRows, .qN = kHeads * kHeadSize, .kvN = kKvHeads * kHeadSize, .k = kColumns};
  static constexpr RopeCacheParts kParts = {
      .bias = kBias, .headSize = kHeadSize, .dimensions = kDimensions, .tablePages = kMaxPages};
  using Shape = QkvShape<kShape, kParts>;
  TestWeight q{kQ, kHeads*kHeadSize, kColumns, 1}, k{kK, kKvHeads*kHeadSize, kColumns, 2},
      v{kV, kKvHeads*kHeadSize, kColumns, 3};
  TestRows rows{kRows, kColumns, 4};
  std::vector<float> bias = normalFloats(kHeads * kHeadSize, 5);
  std::vector<float> table = reference::ropeTable(reference::ropeFrequencies(kDimensions, 10000), 1, kMaxPages * 64);
  std::vector<int> blockTable = {4, 2, -1, 0, 3, 1};
  std::vector<float> y = std::vector<float>(kRows * kHeads * kHeadSize);
  /// Before the pools lies what a page of -1 would be, which nothing may touch.
  std::vector<Half> kPagesData = std::vector<Half>((kGuardPages + kPages) * kPageHalves, kUntouched);
  std::vector<Half> vPagesData = kPagesData;

  void launch(const std::vector<int>& positions, const std::vector<int>& slots) {
    constexpr int kBlocks = ceilDivide(Shape::kQRows, kDecodeRows) + 2 * ceilDivide(Shape::kKvRows, kDecodeRows);
    hostsim::launch({.grid = {kBlocks, 1, 1}, .block = kCut.slices * 32}, [&] {
      qkvRopeCache<QkvWeights{.q = kQ, .k = kK, .v = kV}, kShape, kCut, kParts>(
          q.blob.data(), k.blob.data(), v.blob.data(), rows.x.data(), rows.few.codes.data(), rows.few.scales.data(),
          bias.data(), bias.data() + 1, bias.data() + 2, reinterpret_cast<const float2*>(table.data()),
          positions.data(), slots.data(), blockTable.data(), y.data(),
          reinterpret_cast<uint8_t*>(kPagesData.data() + kGuardPages * kPageHalves),
          reinterpret_cast<uint8_t*>(vPagesData.data() + kGuardPages * kPageHalves));
    });
  }

  std::vector<double> wanted(WeightLayout layout, const TestWeight& weight, int outputs, const float* bias,
                             const std::vector<int>& positions, bool rotate) {
    std::vector<double> y(kRows * outputs);
    reference::linear(rows.seenBy(layout).data(), weight.values.data(), kBias ? bias : nullptr, kRows, kColumns,
                      outputs, y.data());
    if (rotate)
      reference::rope(y.data(), table.data(), positions.data(), reference::RopePairs::kAdjacent, kRows,
                      outputs / kHeadSize, kHeadSize, kDimensions, y.data());
    return y;
  }

  /// Takes what the row wrote out of the pages, so that what is left must be untouched.
  std::vector<float> taken(std::vector<Half>& pages, int slot, int position) {
    std::vector<float> values;
    const size_t page = kGuardPages + blockTable[slot * kMaxPages + position / 64];
    for (int h = 0; h < kKvHeads; ++h)
      for (int i = 0; i < kHeadSize; ++i) {
        Half& cell = pages[((page * kKvHeads + h) * 64 + position % 64) * kHeadSize + i];
        values.push_back(toFloat(cell));
        cell = kUntouched;
      }
    return values;
  }

  void check(const std::vector<int>& positions, const std::vector<int>& slots) {
    constexpr int kQRows = kHeads * kHeadSize, kKvRows = kKvHeads * kHeadSize;
    const auto wantedQ = wanted(kQ, q, kQRows, bias.data(), positions, true);
    const auto wantedK = wanted(kK, k, kKvRows, bias.data() + 1, positions, true);
    const auto wantedV = wanted(kV, v, kKvRows, bias.data() + 2, positions, false);
    const auto row = [](const auto& all, int r, int size) {
      return std::vector(all.begin() + r * size, all.begin() + (r + 1) * size);
    };
    for (int r = 0; r < kRows; ++r) {
      if (positions[r] < 0)
        continue;
      EXPECT_LE(nmse(row(y, r, kQRows), row(wantedQ, r, kQRows)), 1e-11) << "row " << r;
      EXPECT_LE(nmse(taken(kPagesData, slots[r], positions[r]), row(wantedK, r, kKvRows)), 1e-6) << "row " << r;
      EXPECT_LE(nmse(taken(vPagesData, slots[r], positions[r]), row(wantedV, r, kKvRows)), 1e-6) << "row " << r;
    }
    for (const std::vector<Half>* pages : {&kPagesData, &vPagesData})
      for (Half half : *pages) ASSERT_EQ(half.bits, kUntouched.bits);
  }
};

TEST(QkvRopeCache, OneRowOfThreeEncodings) {
  Step<1, kHeadSize, false, DecodeCut{3, 1}> run;
  run.launch({70}, {1});
  run.check({70}, {1});
}

// Rows that rotate in part, with biases, more pairs than threads.
TEST(QkvRopeCache, PartOfAHeadRotates) {
  Step<2, 8, true, DecodeCut{1, 2}> run;
  run.launch({0, 127}, {0, 1});
  run.check({0, 127}, {0, 1});
}

// A padding row has slot 0 and no position: it must write no page, not even that of slot 0.
TEST(QkvRopeCache, PaddingRowsWriteNothing) {
  Step<3, kHeadSize, false, DecodeCut{2, 1}> run;
  run.launch({5, -1, 64}, {0, 0, 1});
  run.check({5, -1, 64}, {0, 0, 1});
}

// A position whose page is not there yet is dropped, not written before the pool.
TEST(QkvRopeCache, AMissingPageIsNotWritten) {
  Step<1, kHeadSize, false, DecodeCut{3, 1}> run;
  run.launch({130}, {0});
  for (const std::vector<Half>* pages : {&run.kPagesData, &run.vPagesData})
    for (Half half : *pages) ASSERT_EQ(half.bits, kUntouched.bits);
}

TEST(QkvRopeCache, EightRows) {
  Step<8, kHeadSize, false, DecodeCut{1, 1}> run;
  const std::vector<int> positions = {1, 2, 3, 4, 65, 66, -1, 0}, slots = {0, 0, 0, 0, 1, 1, 0, 1};
  run.launch(positions, slots);
  run.check(positions, slots);
}

// Keys and values in blocks of 32.
TEST(QkvRopeCache, BlocksIntoPages) {
  constexpr int kSize = 32, kGroups = 3, kRows = 2, kKvRows = kGroups * kSize;
  constexpr QkvLinearShape kShape = {.m = kRows, .qN = kKvRows, .kvN = kKvRows, .k = kColumns};
  constexpr RopeCacheParts kParts = {.headSize = kSize,
                                     .dimensions = kSize,
                                     .tablePages = kMaxPages,
                                     .keyType = KvType::kQ8_0,
                                     .valueType = KvType::kQ5_1};
  using Shape = QkvShape<kShape, kParts>;
  constexpr DecodeCut kCut = {2, 1};
  constexpr auto kLayout = WeightLayout::kF16Rows;
  const std::vector<int> positions = {70, 128}, slots = {1, 0}, blockTable = {-1, -1, 0, -1, 3, -1};
  const TestRows rows(kRows, kColumns, 4);
  const TestWeight q(kLayout, kKvRows, kColumns, 1), k(kLayout, kKvRows, kColumns, 2), v(kLayout, kKvRows, kColumns, 3);
  const std::vector<float> table = reference::ropeTable(reference::ropeFrequencies(kSize, 10000), 1, kMaxPages * 64);
  using Keys = KvRows<Shape::kKeyType, kSize>;
  using Values = KvRows<Shape::kValueType, kSize>;
  std::vector<uint8_t> keys(kPages * kGroups * Keys::kBytes), values(kPages * kGroups * Values::kBytes);
  std::vector<float> y(kRows * kKvRows);
  constexpr int kBlocks = 3 * ceilDivide(kKvRows, kDecodeRows);
  hostsim::launch({.grid = {kBlocks, 1, 1}, .block = kCut.slices * 32}, [&] {
    qkvRopeCache<QkvWeights{.q = kLayout, .k = kLayout, .v = kLayout}, kShape, kCut, kParts>(
        q.blob.data(), k.blob.data(), v.blob.data(), rows.x.data(), nullptr, nullptr, nullptr, nullptr, nullptr,
        reinterpret_cast<const float2*>(table.data()), positions.data(), slots.data(), blockTable.data(), y.data(),
        keys.data(), values.data());
  });
  const auto wanted = [&](const TestWeight& weight, KvType type, bool rotate) {
    std::vector<double> exact(kRows * kKvRows);
    reference::linear(rows.seenBy(kLayout).data(), weight.values.data(), nullptr, kRows, kColumns, kKvRows,
                      exact.data());
    if (rotate)
      reference::rope(exact.data(), table.data(), positions.data(), reference::RopePairs::kAdjacent, kRows, kGroups,
                      kSize, kSize, exact.data());
    std::vector<float> kept(exact.begin(), exact.end());
    reference::roundToCache(type, kept.data(), kept.size());
    return kept;
  };
  std::vector<float> gotK(kRows * kKvRows), gotV(kRows * kKvRows);
  for (int r = 0; r < kRows; ++r)
    for (int i = 0; i < kKvRows; ++i) {
      const int head = blockTable[slots[r] * kMaxPages + positions[r] / 64] * kGroups + i / kSize;
      const StoredHead key{Shape::kKeyType, kSize, keys.data() + head * Keys::kBytes};
      const StoredHead value{Shape::kValueType, kSize, values.data() + head * Values::kBytes};
      gotK[r * kKvRows + i] = key.value(positions[r] % 64, i % kSize);
      gotV[r * kKvRows + i] = value.value(positions[r] % 64, i % kSize);
    }
  EXPECT_LE(nmse(gotK, wanted(k, Shape::kKeyType, true)), 1e-4);
  EXPECT_LE(nmse(gotV, wanted(v, Shape::kValueType, false)), 1e-4);
}

} // namespace
} // namespace llcuda
