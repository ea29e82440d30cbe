// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/attention/attention_decode.cuh"

#include <gtest/gtest.h>

#include "codegen/reference/attention.h"
#include "codegen/reference/quantize_rows.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/attention/paged_cache.h"
#include "tests/codegen/kernels/int8_rows.h"

namespace llcuda {
namespace {

using testing::PagedCache;

constexpr float kScale = 0.11f;
constexpr CausalAttention kCausal = {.scale = kScale};

template <AttentionShape kShape, int kSplits, RowOrder kOrder = RowOrder::kRows>
struct DecodeRun {
  using Shape = AttentionTraits<kShape>;
  static constexpr size_t kColumns = Shape::kHeads * Shape::kHeadSize;
  static constexpr bool kInt8Rows = Shape::kHeadSize % 32 == 0;
  /// Tensor cores take the f16 of what a cache of fewer bits holds: an error of up to 2^-11 each.
  static constexpr bool kRoundsToF16 =
      Shape::kDecodesByTensorCores && !(kShape.keyType == KvType::kF16 && kShape.valueType == KvType::kF16);
  std::vector<int> positions, slots;
  std::vector<float> q, y;
  testing::Int8Rows int8;
  std::vector<uint32_t> arrivals;
  std::vector<double> wanted;

  /// One row per position; -1 is padding. Each has a sequence of its own, of `length` positions at least.
  template <AttentionVariant Variant>
  DecodeRun(const std::vector<int>& rowPositions, const Variant& variant, uint32_t seed, int length = 0)
      : positions(rowPositions), int8(kOrder, positions.size(), kColumns) {
    const size_t rows = positions.size();
    std::vector<int> lengths;
    for (size_t r = 0; r < rows; ++r) {
      lengths.push_back(std::max(positions[r] + 1, length));
      slots.push_back(positions[r] < 0 ? 0 : static_cast<int>(r));
    }
    PagedCache<Shape> cache(lengths, seed);
    for (size_t r = 0; r < rows; ++r) cache.forgetBefore(slots[r], variant.keys(positions[r], slots[r]).begin());
    q = testing::randomFloats(rows * kColumns, seed + 1000);
    y.assign(rows * kColumns, NAN);
    arrivals.assign(rows * Shape::kGroups, 0);
    std::vector<float> partial(rows * Shape::kGroups * kSplits * (Shape::kGroupSize + 16), NAN);
    hostsim::launch({.grid = {Shape::kGroups, kSplits, static_cast<uint32_t>(rows)}, .block = kDecodeThreads}, [&] {
      attentionDecode<kShape, ContextCut{.splits = kSplits}, RowForms{.f32 = true, .int8 = kInt8Rows, .order = kOrder}>(
          q.data(), cache.kPages.data(), cache.vPages.data(), positions.data(), slots.data(), cache.table.data(),
          variant, partial.data(), arrivals.data(), {y.data(), int8.codes.data(), int8.scales.data()});
    });
    const reference::AttentionShape shape{Shape::kHeads, Shape::kKvHeads, Shape::kHeadSize};
    wanted.resize(rows * kColumns);
    for (size_t r = 0; r < rows; ++r)
      reference::attention<double>(shape, testing::exactly(variant), q.data() + r * kColumns,
                                   cache.keys[slots[r]].data(), cache.values[slots[r]].data(), &positions[r], 1,
                                   wanted.data() + r * kColumns);
  }

  void expectNearReference() const {
    EXPECT_LT(testing::normalizedError(y, wanted), kRoundsToF16 ? 1e-7 : 1e-11);
    EXPECT_EQ(arrivals, std::vector<uint32_t>(arrivals.size(), 0)) << "counters must return to zero";
    if (!kInt8Rows)
      return;
    EXPECT_LT(testing::normalizedError(int8.values(), wanted), 1e-4);
    EXPECT_TRUE(int8.areConsistent());
  }
};

constexpr AttentionShape kPlain = {.heads = 6, .kvHeads = 2, .headSize = 64, .tablePages = 9};

// Every page edge, one row each: a wrong last page, a lost token or a token too many shows in one of them. Short rows
// leave splits without keys, and the last of the others merges.
TEST(AttentionDecode, PageEdges) {
  DecodeRun<kPlain, 7>({0, 1, 62, 63, 64, 65, 127, 128, 200, 511, 512, 513}, kCausal, 1).expectNearReference();
}

// The rows of a batch for tensor cores: of two tiles, the second of which is not full.
TEST(AttentionDecode, RowsForTensorCores) {
  std::vector<int> positions;
  for (int i = 0; i < 21; ++i) positions.push_back(i % 5 == 3 ? -1 : 9 * i);
  DecodeRun<kPlain, 3, RowOrder::kFragments>(positions, kCausal, 5).expectNearReference();
  positions.resize(6);
  DecodeRun<kPlain, 3, RowOrder::kEightRows>(positions, kCausal, 6).expectNearReference();
}

// A padding row becomes zeros, reads no page and leaves the rows beside it alone.
TEST(AttentionDecode, PaddingRows) {
  const DecodeRun<kPlain, 7> run({-1, 70, -1, 100, -1}, kCausal, 3);
  run.expectNearReference();
  for (size_t i = 0; i < run.kColumns; ++i) {
    ASSERT_EQ(run.y[i], 0.f);
    ASSERT_EQ(run.int8.code(i / run.kColumns, i % run.kColumns), 0);
  }
}

TEST(AttentionDecode, Softcap) {
  DecodeRun<kPlain, 7>({3, 130}, CausalAttention{.scale = kScale, .softcap = 2.f}, 6).expectNearReference();
}

// A sink belongs to the denominator once, however many splits a row has: below the scores, among them, above them, and
// so far above that nothing is left of the values.
TEST(AttentionDecode, Sinks) {
  const std::vector<float> sinks = {-30.f, 0.f, 3.f, 8.f, 1.f, -2.f};
  const CausalAttention variant = {.scale = kScale, .sinks = sinks.data()};
  DecodeRun<kPlain, 1>({0, 5, 130}, variant, 34).expectNearReference();
  DecodeRun<kPlain, 3>({0, 63, -1, 100, 190, 500}, variant, 35).expectNearReference();
  const std::vector<float> high(kPlain.heads, 2000.f);
  const DecodeRun<kPlain, 3> run({3, 500}, CausalAttention{.scale = kScale, .sinks = high.data()}, 36);
  for (const float y : run.y) ASSERT_EQ(y, 0.f);
}

// Another mask: keys after the row's own, to the end of the sequence.
TEST(AttentionDecode, WholeSequence) {
  const int lengths[] = {200, 200, 200, 200, 200, 200}; // of the slot of each row
  const TwoWayAttention variant = {{.scale = kScale}, lengths};
  DecodeRun<kPlain, 3>({0, 63, -1, 64, 150, 199}, variant, 33, 200).expectNearReference();
}

// A window that begins inside a page, at its edge, and before the sequence.
TEST(AttentionDecode, SlidingWindow) {
  constexpr AttentionShape kShape = {.heads = 2, .kvHeads = 1, .headSize = 64, .tablePages = 9};
  constexpr CausalAttention kWindow = {.scale = kScale, .window = 100};
  DecodeRun<kShape, 2>({20, 98, 99, 100, 163, 164, 228, 500}, kWindow, 4).expectNearReference();
}

// Pages that a window has passed are not in the table: the window at its edges, at and inside those of pages.
TEST(AttentionDecode, PassedPages) {
  constexpr AttentionShape kShape = {.heads = 2, .kvHeads = 1, .headSize = 64, .tablePages = 40};
  constexpr CausalAttention kWindow = {.scale = kScale, .window = 512}, kSmallWindow = {.scale = kScale, .window = 64};
  DecodeRun<kShape, 5>({0, 510, 511, 512, 513, 639, 640, 641, 1279, 2000}, kWindow, 9).expectNearReference();
  constexpr AttentionShape kSmall = {
      .heads = 2, .kvHeads = 2, .headSize = 64, .tablePages = 40, .keyType = KvType::kQ8_0};
  DecodeRun<kSmall, 2>({62, 63, 64, 127, 128, 191, 192, 300}, kSmallWindow, 10).expectNearReference();
}

/// A shape of a context of three pages.
constexpr AttentionShape shapeOf(int heads, int kvHeads, int headSize, KvType keyType = KvType::kF16,
                                 KvType valueType = KvType::kF16) {
  return {.heads = heads,
          .kvHeads = kvHeads,
          .headSize = headSize,
          .tablePages = 3,
          .keyType = keyType,
          .valueType = valueType};
}

template <AttentionShape... kShapes>
void expectEachNearReference() {
  (DecodeRun<kShapes, 3>({20, 77, 150}, kCausal, 7).expectNearReference(), ...);
}

// Each head size, each number of heads that share a kv head, and each type of keys and values; alone and merged.
TEST(AttentionDecode, Shapes) {
  expectEachNearReference<shapeOf(1, 1, 64, KvType::kQ8_0, KvType::kQ4_0), shapeOf(5, 1, 80),
                          shapeOf(8, 1, 64, KvType::kQ4_1, KvType::kQ8_0), shapeOf(7, 1, 128),
                          shapeOf(12, 2, 128, KvType::kQ4_0, KvType::kQ5_1), shapeOf(4, 1, 256),
                          shapeOf(6, 3, 96, KvType::kQ5_0, KvType::kQ4_1),
                          shapeOf(8, 1, 256, KvType::kQ5_1, KvType::kQ5_0), shapeOf(16, 1, 512),
                          shapeOf(2, 1, 320, KvType::kQ8_0, KvType::kQ4_0)>();
}

// Heads of an odd number of vectors, of a vector that is half full, and of one vector.
TEST(AttentionDecode, EveryHeadSize) {
  DecodeRun<shapeOf(4, 2, 40), 3>({20, 77, 150}, kCausal, 20).expectNearReference();
  DecodeRun<shapeOf(2, 1, 72), 2>({20, 77, 150}, kCausal, 21).expectNearReference();
  DecodeRun<shapeOf(3, 1, 88), 1>({20, 77, 150}, kCausal, 22).expectNearReference();
  DecodeRun<shapeOf(4, 4, 100), 3>({20, 77, 150}, kCausal, 23).expectNearReference();
  DecodeRun<shapeOf(2, 2, 120), 2>({20, 77, 150}, kCausal, 24).expectNearReference();
  DecodeRun<shapeOf(2, 1, 136), 2>({20, 77, 150}, kCausal, 25).expectNearReference();
  DecodeRun<shapeOf(2, 1, 252), 2>({20, 77, 150}, kCausal, 26).expectNearReference();
  DecodeRun<shapeOf(2, 1, 4), 2>({20, 77, 150}, kCausal, 27).expectNearReference();
}

// More query heads of a kv head than a block takes: of 12 two blocks take six each, of 11 each one.
TEST(AttentionDecode, ManyHeadsOfAKvHead) {
  DecodeRun<shapeOf(24, 2, 64), 3>({20, 77, 150, -1}, kCausal, 30).expectNearReference();
  DecodeRun<shapeOf(16, 1, 128), 1>({20, 77, 150}, kCausal, 31).expectNearReference();
  DecodeRun<shapeOf(11, 1, 64, KvType::kQ8_0, KvType::kQ8_0), 2>({20, 77, 150}, kCausal, 32).expectNearReference();
}

TEST(AttentionDecode, EveryTypeOfKeysAndValues) {
#define LLCUDA_KV_TYPE(enumerator, ...)                                                                                \
  DecodeRun<shapeOf(2, 1, 64, KvType::enumerator, KvType::enumerator), 3>({20, 77, 150}, kCausal, 8)                   \
      .expectNearReference();
#include "codegen/formats/kv_types.inc"
}

} // namespace
} // namespace llcuda
