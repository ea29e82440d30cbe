// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/attention/attention_decode.cuh"

#include <gtest/gtest.h>

#include "codegen/reference/attention.h"
#include "codegen/reference/quantize_rows.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/attention/paged_cache.h"

namespace llcuda {
namespace {

using testing::PagedCache;

template <typename Shape, int kSplits>
struct DecodeRun {
  static constexpr size_t kColumns = Shape::kHeads * Shape::kHeadSize;
  static constexpr float kScale = 0.11f;
  std::vector<int> positions, slots;
  std::vector<float> q, y;
  std::vector<int8_t> codes;
  std::vector<float2> scales;
  std::vector<uint32_t> arrivals;
  std::vector<double> wanted;

  /// One row per position; -1 is padding. Each has a sequence of its own.
  DecodeRun(const std::vector<int>& rowPositions, float softcap, uint32_t seed) : positions(rowPositions) {
    const size_t rows = positions.size();
    std::vector<int> lengths;
    for (size_t r = 0; r < rows; ++r) {
      lengths.push_back(positions[r] + 1);
      slots.push_back(positions[r] < 0 ? 0 : static_cast<int>(r));
    }
    const PagedCache cache(lengths, Shape::kKvHeads, Shape::kHeadSize, Shape::kTablePages, seed);
    q = testing::randomFloats(rows * kColumns, seed + 1000);
    y.assign(rows * kColumns, NAN);
    codes.assign(rows * kColumns, 99);
    scales.assign(rows * kColumns / 32, float2{NAN, NAN});
    arrivals.assign(rows * Shape::kKvHeads, 0);
    std::vector<float> partial(rows * Shape::kKvHeads * kSplits * (Shape::kGroupSize + 16), NAN);
    hostsim::launch({.grid = {Shape::kKvHeads, kSplits, static_cast<uint32_t>(rows)}, .block = kDecodeThreads}, [&] {
      attentionDecode<Shape, kSplits>(q.data(), cache.kPages.data(), cache.vPages.data(), positions.data(),
                                      slots.data(), cache.table.data(), {kScale, softcap}, partial.data(),
                                      arrivals.data(), {y.data(), codes.data(), scales.data()});
    });
    const reference::AttentionShape shape{Shape::kHeads, Shape::kKvHeads, Shape::kHeadSize,
                                          kScale,        Shape::kWindow,  softcap};
    wanted.resize(rows * kColumns);
    for (size_t r = 0; r < rows; ++r)
      reference::attention<double>(shape, q.data() + r * kColumns, cache.keys[slots[r]].data(),
                                   cache.values[slots[r]].data(), &positions[r], 1, wanted.data() + r * kColumns);
  }

  void expectNearReference() const {
    EXPECT_LT(testing::normalizedError(y, wanted), 1e-11);
    EXPECT_EQ(arrivals, std::vector<uint32_t>(arrivals.size(), 0)) << "counters must return to zero";
    std::vector<float> fromCodes(y.size());
    for (size_t i = 0; i < y.size(); ++i) fromCodes[i] = codes[i] * scales[i / 32].x;
    EXPECT_LT(testing::normalizedError(fromCodes, wanted), 1e-4);
    for (size_t b = 0; b < scales.size(); ++b) {
      int sum = 0;
      for (size_t i = 0; i < 32; ++i) sum += codes[b * 32 + i];
      EXPECT_NEAR(scales[b].y, scales[b].x * sum, 1e-6 * std::abs(scales[b].x) * 127);
    }
  }
};

// Every page edge, one row each: a wrong last page, a lost token or a token too many shows in one of them.
TEST(AttentionDecode, PageEdges) {
  using Shape = AttentionShape<6, 2, 64, 9, 0>;
  DecodeRun<Shape, 3>({0, 1, 62, 63, 64, 65, 127, 128, 511, 512, 513}, 0.f, 1).expectNearReference();
}

// More splits than pages: the empty ones leave, and the last of the others merges.
TEST(AttentionDecode, EmptySplits) {
  using Shape = AttentionShape<3, 1, 64, 4, 0>;
  DecodeRun<Shape, 7>({5, 70, 200}, 0.f, 2).expectNearReference();
}

// A padding row becomes zeros, reads no page and leaves the rows beside it alone.
TEST(AttentionDecode, PaddingRows) {
  using Shape = AttentionShape<4, 2, 64, 2, 0>;
  const DecodeRun<Shape, 2> run({-1, 70, -1, 100, -1}, 0.f, 3);
  run.expectNearReference();
  for (size_t i = 0; i < Shape::kHeads * Shape::kHeadSize; ++i) {
    ASSERT_EQ(run.y[i], 0.f);
    ASSERT_EQ(run.codes[i], 0);
  }
}

// A window that begins inside a page, at its edge, and before the sequence.
TEST(AttentionDecode, SlidingWindow) {
  using Shape = AttentionShape<2, 1, 64, 9, 100>;
  DecodeRun<Shape, 2>({20, 98, 99, 100, 163, 164, 228, 500}, 0.f, 4).expectNearReference();
  using Single = AttentionShape<2, 1, 64, 4, 1>;
  DecodeRun<Single, 2>({0, 63, 64, 200}, 0.f, 5).expectNearReference();
}

TEST(AttentionDecode, Softcap) {
  using Shape = AttentionShape<2, 1, 64, 3, 0>;
  DecodeRun<Shape, 2>({3, 130}, 2.f, 6).expectNearReference();
}

template <typename Shape>
class AttentionDecodeShapes : public ::testing::Test {};
using Shapes =
    ::testing::Types<AttentionShape<1, 1, 64, 3, 0>, AttentionShape<5, 1, 64, 3, 0>, AttentionShape<8, 1, 64, 3, 0>,
                     AttentionShape<12, 2, 128, 3, 0>, AttentionShape<7, 1, 128, 3, 0>, AttentionShape<4, 1, 256, 3, 0>,
                     AttentionShape<6, 3, 96, 3, 0>, AttentionShape<8, 1, 256, 3, 0>>;
TYPED_TEST_SUITE(AttentionDecodeShapes, Shapes);

// Each head size and each number of heads that share a kv head, merged and not.
TYPED_TEST(AttentionDecodeShapes, MatchReference) {
  DecodeRun<TypeParam, 1>({77, 150}, 0.f, 7).expectNearReference();
  DecodeRun<TypeParam, 3>({77, 150}, 0.f, 8).expectNearReference();
}

} // namespace
} // namespace llcuda
