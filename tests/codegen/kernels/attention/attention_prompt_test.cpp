// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/attention/attention_prompt.cuh"

#include <gtest/gtest.h>

#include <numeric>

#include "codegen/kernels/attention/attention_decode.cuh"
#include "codegen/reference/attention.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/attention/paged_cache.h"
#include "tests/codegen/kernels/int8_rows.h"

namespace llcuda {
namespace {

using testing::PagedCache;

/// `count` positions from `first`, then padding up to `rows`.
std::vector<int> chunk(int first, int count, int rows) {
  std::vector<int> positions(rows, -1);
  std::iota(positions.begin(), positions.begin() + count, first);
  return positions;
}

constexpr float kScale = 0.11f;
constexpr CausalAttention kCausal = {.scale = kScale};

template <AttentionShape kShape, int kRows>
struct PromptRun {
  using Shape = AttentionTraits<kShape>;
  static constexpr size_t kColumns = Shape::kHeads * Shape::kHeadSize;
  static constexpr bool kInt8Rows = Shape::kHeadSize % 32 == 0;
  std::vector<int> positions, slots;
  PagedCache<Shape> cache;
  std::vector<Half> q;
  std::vector<float> y;
  testing::Int8Rows int8;
  std::vector<double> wanted;

  /// The rows are of slot 1, which has `length` positions at least; slot 0 is another sequence.
  template <AttentionVariant Variant>
  PromptRun(const std::vector<int>& rowPositions, const Variant& variant, uint32_t seed, float spread = 1.f,
            int length = 0)
      : positions(rowPositions), cache({50, std::max(length, std::ranges::max(rowPositions) + 1)}, seed),
        int8(RowOrder::kFragments, kRows, kColumns) {
    int first = std::ranges::max(positions);
    for (int position : positions) {
      slots.push_back(position < 0 ? 0 : 1);
      first = position < 0 ? first : std::min(first, position);
    }
    cache.forgetBefore(1, variant.keys(first, 1).begin());
    q = testing::halves(testing::randomFloats(kRows * kColumns, seed + 1000, spread));
    y.assign(kRows * kColumns, NAN);
    const uint32_t parts = PromptTile<Shape>::kParts;
    hostsim::launch({.grid = {(kRows + kPromptRows - 1) / kPromptRows, Shape::kHeads * parts}, .block = kPromptThreads},
                    [&] {
                      attentionPrompt<kShape, PromptChunk{.rows = kRows},
                                      RowForms{.f32 = true, .int8 = kInt8Rows, .order = RowOrder::kFragments}>(
                          q.data(), cache.kPages.data(), cache.vPages.data(), positions.data(), slots.data(),
                          cache.table.data(), variant, {y.data(), int8.codes.data(), int8.scales.data()});
                    });
    const reference::AttentionShape shape{Shape::kHeads, Shape::kKvHeads, Shape::kHeadSize};
    wanted.resize(kRows * kColumns);
    const std::vector<float> exact = testing::floats(q);
    reference::attention<double>(shape, testing::exactly(variant), exact.data(), cache.keys[1].data(),
                                 cache.values[1].data(), positions.data(), kRows, wanted.data());
  }

  void expectNearReference() const {
    EXPECT_LT(testing::normalizedError(y, wanted), 1e-6);
    if (!kInt8Rows)
      return;
    EXPECT_LT(testing::normalizedError(int8.values(), wanted), 1e-4);
    EXPECT_TRUE(int8.areConsistent());
  }
};

// Most tests share one kernel: 80 rows are a whole tile and a part of one.
constexpr AttentionShape kPlain = {.heads = 6, .kvHeads = 2, .headSize = 64, .tablePages = 3};

// Chunks that begin and end at, before and after the edges of pages; the last rows are padding.
TEST(AttentionPrompt, PageEdges) {
  PromptRun<kPlain, 80>(chunk(0, 1, 80), kCausal, 1).expectNearReference();
  PromptRun<kPlain, 80>(chunk(0, 63, 80), kCausal, 2).expectNearReference();
  PromptRun<kPlain, 80>(chunk(0, 64, 80), kCausal, 3).expectNearReference();
  PromptRun<kPlain, 80>(chunk(0, 65, 80), kCausal, 4).expectNearReference();
  PromptRun<kPlain, 80>(chunk(63, 80, 80), kCausal, 5).expectNearReference();
  PromptRun<kPlain, 80>(chunk(64, 79, 80), kCausal, 6).expectNearReference();
  PromptRun<kPlain, 80>(chunk(112, 80, 80), kCausal, 7).expectNearReference();
}

// The rows of a chunk may come in any order, with padding between them.
TEST(AttentionPrompt, AnyOrder) {
  std::vector<int> positions = chunk(0, 0, 80);
  const int mixed[] = {70, -1, 3, 150, 0, -1, 64, 63, 100, 20, -1, 71};
  std::copy(std::begin(mixed), std::end(mixed), positions.begin() + 60);
  PromptRun<kPlain, 80>(positions, kCausal, 8).expectNearReference();
}

// Padding rows become zeros, also a whole tile of them.
TEST(AttentionPrompt, PaddingRows) {
  const PromptRun<kPlain, 80> run(chunk(10, 20, 80), kCausal, 9);
  run.expectNearReference();
  for (size_t i = 20 * run.kColumns; i < run.y.size(); ++i) {
    ASSERT_EQ(run.y[i], 0.f);
    ASSERT_EQ(run.int8.code(i / run.kColumns, i % run.kColumns), 0);
  }
}

TEST(AttentionPrompt, Softcap) {
  PromptRun<kPlain, 80>(chunk(100, 16, 80), CausalAttention{.scale = kScale, .softcap = 2.f}, 14).expectNearReference();
}

// Scores far outside what f16 holds: they stay f32, and one key takes all the weight.
TEST(AttentionPrompt, LargeScores) {
  PromptRun<kPlain, 80>(chunk(60, 16, 80), kCausal, 17, 10000.f).expectNearReference();
}

// A sink in the denominator of each head: below the scores, among them and above them; and beside a softcap, which it
// does not pass through.
TEST(AttentionPrompt, Sinks) {
  const std::vector<float> sinks = {-30.f, 0.f, 3.f, 8.f, 1.f, -2.f};
  const CausalAttention variant = {.scale = kScale, .sinks = sinks.data()};
  PromptRun<kPlain, 80>(chunk(0, 70, 80), variant, 33).expectNearReference();
  PromptRun<kPlain, 80>(chunk(112, 80, 80), variant, 34).expectNearReference();
  PromptRun<kPlain, 80>(chunk(20, 80, 80), CausalAttention{.scale = kScale, .softcap = 2.f, .sinks = sinks.data()}, 35)
      .expectNearReference();
}

// Keys after the row's own, to the end of the text, in tiles that all rows see and in the last one.
TEST(AttentionPrompt, BothWays) {
  const int lengths[] = {0, 150};
  const TwoWayAttention variant = {{.scale = kScale}, lengths};
  PromptRun<kPlain, 80>(chunk(0, 75, 80), variant, 31, 1.f, 150).expectNearReference();
  PromptRun<kPlain, 80>(chunk(70, 80, 80), variant, 32, 1.f, 150).expectNearReference();
}

// A window around each row: as wide before it as behind it, cut at both ends of the text, of an odd and an even width.
TEST(AttentionPrompt, WindowBothWays) {
  const int lengths[] = {0, 150};
  for (const int window : {17, 64, 2}) {
    const TwoWayAttention variant = {{.scale = kScale, .window = window}, lengths};
    PromptRun<kPlain, 80>(chunk(0, 80, 80), variant, 36, 1.f, 150).expectNearReference();
    PromptRun<kPlain, 80>(chunk(75, 75, 80), variant, 37, 1.f, 150).expectNearReference();
  }
}

// A text of one token, and one that ends with a page.
TEST(AttentionPrompt, ShortTextsBothWays) {
  for (const int length : {1, 64}) {
    const int lengths[] = {0, length};
    PromptRun<kPlain, 80>(chunk(0, length, 80), TwoWayAttention{{.scale = kScale}, lengths}, 38, 1.f, length)
        .expectNearReference();
  }
}

// A window that begins at the edge of a page and inside one.
TEST(AttentionPrompt, SlidingWindow) {
  constexpr AttentionShape kShape = {.heads = 2, .kvHeads = 1, .headSize = 64, .tablePages = 4};
  constexpr CausalAttention kWindow = {.scale = kScale, .window = 70};
  PromptRun<kShape, 64>(chunk(40, 64, 64), kWindow, 10).expectNearReference();
  PromptRun<kShape, 64>(chunk(150, 64, 64), kWindow, 11).expectNearReference();
}

// Pages that a window has passed are not in the table: the window at its edges, chunks that begin at the edge of a page
// and inside one, padding.
TEST(AttentionPrompt, PassedPages) {
  constexpr AttentionShape kShape = {.heads = 1, .kvHeads = 1, .headSize = 64, .tablePages = 40};
  constexpr CausalAttention kWindow = {.scale = kScale, .window = 512};
  PromptRun<kShape, 64>(chunk(500, 20, 64), kWindow, 12).expectNearReference();
  PromptRun<kShape, 64>(chunk(576, 64, 64), kWindow, 13).expectNearReference();
  PromptRun<kShape, 64>(chunk(607, 64, 64), kWindow, 18).expectNearReference();
  PromptRun<kShape, 64>(chunk(1983, 64, 64), kWindow, 19).expectNearReference();
}

/// A shape of a context of two pages.
constexpr AttentionShape shapeOf(int heads, int kvHeads, int headSize, KvType keyType = KvType::kF16,
                                 KvType valueType = KvType::kF16) {
  return {.heads = heads,
          .kvHeads = kvHeads,
          .headSize = headSize,
          .tablePages = 2,
          .keyType = keyType,
          .valueType = valueType};
}

template <AttentionShape... kShapes>
void expectEachNearReference() {
  (PromptRun<kShapes, 40>(chunk(60, 37, 40), kCausal, 15).expectNearReference(), ...);
}

TEST(AttentionPrompt, Shapes) {
  expectEachNearReference<shapeOf(8, 1, 64, KvType::kQ8_0, KvType::kQ4_0), shapeOf(3, 3, 80), shapeOf(4, 1, 256),
                          shapeOf(4, 2, 128, KvType::kQ5_1, KvType::kQ4_1),
                          shapeOf(3, 3, 96, KvType::kQ4_0, KvType::kQ5_0), shapeOf(2, 1, 512),
                          shapeOf(1, 1, 320, KvType::kQ8_0, KvType::kQ4_0)>();
}

// Heads of an odd number of vectors, of a vector that is half full, and of one vector.
TEST(AttentionPrompt, EveryHeadSize) {
  PromptRun<shapeOf(4, 2, 40), 40>(chunk(60, 37, 40), kCausal, 20).expectNearReference();
  PromptRun<shapeOf(2, 1, 72), 40>(chunk(60, 37, 40), kCausal, 21).expectNearReference();
  PromptRun<shapeOf(1, 1, 88), 40>(chunk(60, 37, 40), kCausal, 22).expectNearReference();
  PromptRun<shapeOf(2, 2, 100), 40>(chunk(60, 37, 40), kCausal, 23).expectNearReference();
  PromptRun<shapeOf(1, 1, 120), 40>(chunk(60, 37, 40), kCausal, 24).expectNearReference();
  PromptRun<shapeOf(1, 1, 136), 40>(chunk(60, 37, 40), kCausal, 25).expectNearReference();
  PromptRun<shapeOf(1, 1, 252), 40>(chunk(60, 37, 40), kCausal, 26).expectNearReference();
  PromptRun<shapeOf(1, 1, 4), 40>(chunk(60, 37, 40), kCausal, 27).expectNearReference();
}

// Heads whose y two blocks share: int8 rows are cut at blocks of 32 columns, others at vectors, and the second has
// less.
TEST(AttentionPrompt, HeadsOfTwoBlocks) {
  PromptRun<shapeOf(2, 1, 224), 40>(chunk(60, 37, 40), kCausal, 28).expectNearReference();
  PromptRun<shapeOf(1, 1, 224, KvType::kQ8_0, KvType::kQ4_1), 40>(chunk(60, 37, 40), kCausal, 29).expectNearReference();
  PromptRun<shapeOf(2, 2, 192), 40>(chunk(60, 37, 40), kCausal, 31).expectNearReference();
  PromptRun<shapeOf(2, 2, 200), 40>(chunk(60, 37, 40), kCausal, 30).expectNearReference();
}

TEST(AttentionPrompt, ManyHeadsOfAKvHead) {
  PromptRun<shapeOf(24, 2, 64), 40>(chunk(60, 37, 40), kCausal, 30).expectNearReference();
}

TEST(AttentionPrompt, EveryTypeOfKeysAndValues) {
#define LLCUDA_KV_TYPE(enumerator, ...)                                                                                \
  PromptRun<shapeOf(2, 1, 64, KvType::enumerator, KvType::enumerator), 40>(chunk(60, 37, 40), kCausal, 17)             \
      .expectNearReference();
#include "codegen/formats/kv_types.inc"
}

// What a token sees must not depend on whether it came in a prompt or was generated.
TEST(AttentionPrompt, EqualsDecode) {
  const PromptRun<kPlain, 80> run(chunk(100, 80, 80), kCausal, 16);
  const std::vector<float> q = testing::floats(run.q);
  std::vector<float> y(run.y.size()), partial(80 * 2 * 2 * (AttentionTraits<kPlain>::kGroupSize + 16));
  std::vector<uint32_t> arrivals(160);
  hostsim::launch({.grid = {2, 2, 80}, .block = kDecodeThreads}, [&] {
    attentionDecode<kPlain, ContextCut{.splits = 2}, RowForms{.f32 = true}>(
        q.data(), run.cache.kPages.data(), run.cache.vPages.data(), run.positions.data(), run.slots.data(),
        run.cache.table.data(), kCausal, partial.data(), arrivals.data(), {y.data(), nullptr, nullptr});
  });
  for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], run.y[i], 2e-3);
}

} // namespace
} // namespace llcuda
