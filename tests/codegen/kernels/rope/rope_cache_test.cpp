// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/rope/rope_cache.cuh"

#include <gtest/gtest.h>

#include "codegen/reference/cache_rounding.h"
#include "codegen/reference/rms_norm.h"
#include "codegen/reference/rope.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/attention/paged_cache.h"

namespace llcuda {
namespace {

constexpr int kKvHeads = 2, kPages = 3, kRows = 5;
constexpr float kEps = 1e-6f;

float toNumber(float x) {
  return x;
}
float toNumber(Half x) {
  return toFloat(x);
}

/// What a row without a value holds before the launch.
template <typename T>
T untouched() {
  return bitCast<T>(static_cast<std::conditional_t<sizeof(T) == 2, uint16_t, uint32_t>>(0x7e00));
}

template <int kHeads, int kSize, HeadTurn kTurn, typename Query, bool kValueNorm = false>
struct RopeRun {
  static constexpr AttentionShape kShape = {
      .heads = kHeads, .kvHeads = kKvHeads, .headSize = kSize, .tablePages = kPages};
  std::vector<int> positions{62, 63, -1, 64, 130}, slots{1, 1, 0, 1, 1};
  std::vector<int> table{-1, -1, -1, 4, 0, 2};
  std::vector<float> q = testing::randomFloats(kRows * kHeads * kSize, 1);
  std::vector<float> k = testing::randomFloats(kRows * kKvHeads * kSize, 2);
  std::vector<float> v = testing::randomFloats(kRows * kKvHeads * kSize, 3);
  std::vector<float> angles = testing::randomFloats(kPages * 64 * kSize, 4);
  std::vector<float> qScale = testing::randomFloats(kSize, 5), kScale = testing::randomFloats(kSize, 6);
  std::vector<float> vScale = testing::randomFloats(kSize, 7);
  std::vector<Query> turned = std::vector<Query>(q.size(), untouched<Query>());
  std::vector<Half> kPool = std::vector<Half>(5 * kKvHeads * 64 * kSize, Half{0x7e00}), vPool = kPool;

  void launch() {
    constexpr unsigned kGroups = kHeads + 2 * kKvHeads, kPerBlock = HeadTile<kSize>::kHeadsPerBlock;
    hostsim::launch({.grid = {kRows, (kGroups + kPerBlock - 1) / kPerBlock}, .block = kHeadThreads}, [&] {
      ropeCache<kShape, kTurn, QueryForm{.f16 = sizeof(Query) == 2, .valueNorm = kValueNorm}>(
          q.data(), k.data(), v.data(), qScale.data(), kScale.data(), reinterpret_cast<const float2*>(angles.data()),
          positions.data(), slots.data(), table.data(), turned.data(), reinterpret_cast<uint8_t*>(kPool.data()),
          reinterpret_cast<uint8_t*>(vPool.data()), kEps, vScale.data());
    });
  }

  std::vector<double> wanted(const std::vector<float>& x, const std::vector<float>& scale, int heads) {
    std::vector<double> y(x.begin(), x.end());
    if (kTurn.norm)
      reference::rmsNorm(y.data(), scale.data(), kRows * heads, kSize, kEps, y.data());
    const auto pairs =
        kTurn.pairs == RopePairs::kHalves ? reference::RopePairs::kHalves : reference::RopePairs::kAdjacent;
    reference::rope(y.data(), angles.data(), positions.data(), pairs, kRows, heads, kSize, kTurn.dimensions, y.data());
    return y;
  }

  void check() {
    const double tolerance = sizeof(Query) == 2 ? 1e-3 : 1e-5;
    const std::vector<double> wantedQ = wanted(q, qScale, kHeads), wantedK = wanted(k, kScale, kKvHeads);
    std::vector<double> wantedV(v.begin(), v.end());
    if (kValueNorm)
      reference::rmsNorm(wantedV.data(), vScale.data(), kRows * kKvHeads, kSize, kEps, wantedV.data());
    size_t written = 0;
    for (int r = 0; r < kRows; ++r) {
      for (int i = 0; i < kHeads * kSize; ++i) {
        const size_t at = r * kHeads * kSize + i;
        if (positions[r] < 0)
          ASSERT_EQ(toNumber(turned[at]), 0.f);
        else
          ASSERT_NEAR(toNumber(turned[at]), wantedQ[at], tolerance * (1 + std::abs(wantedQ[at])));
      }
      for (int i = 0; positions[r] >= 0 && i < kKvHeads * kSize; ++i, ++written) {
        const size_t from = r * kKvHeads * kSize + i;
        const size_t page = table[slots[r] * kPages + positions[r] / 64];
        const size_t to = ((page * kKvHeads + i / kSize) * 64 + positions[r] % 64) * kSize + i % kSize;
        ASSERT_NEAR(toFloat(kPool[to]), wantedK[from], 1e-3 * (1 + std::abs(wantedK[from])));
        if (kValueNorm)
          ASSERT_NEAR(toFloat(vPool[to]), wantedV[from], 1e-3 * (1 + std::abs(wantedV[from])));
        else
          ASSERT_EQ(vPool[to].bits, toHalf(v[from]).bits);
      }
    }
    for (const std::vector<Half>* pool : {&kPool, &vPool}) {
      size_t touched = 0;
      for (Half h : *pool) touched += h.bits != 0x7e00;
      EXPECT_EQ(touched, written) << "a key or value landed where no row belongs";
    }
  }

  void run() {
    launch();
    check();
  }
};

// Rows on both sides of a page edge and a padding row between them; eight lanes hold a head.
TEST(RopeCache, RotatesAndWritesPages) {
  RopeRun<6, 32, HeadTurn{.dimensions = 32}, Half>().run();
}

// Only the first elements of a head rotate, an odd number of pairs of them; or none.
TEST(RopeCache, PartOfAHead) {
  RopeRun<6, 32, HeadTurn{.dimensions = 14}, Half>().run();
  RopeRun<6, 32, HeadTurn{.dimensions = 0}, Half>().run();
}

// Each head is normed by itself and before it turns; the scales of queries and keys are not mixed up. Heads of 80 leave
// lanes of a group idle, those of 256 take two float4 in each, and f32 queries are those of a decode phase.
TEST(RopeCache, NormsHeads) {
  RopeRun<4, 80, HeadTurn{.dimensions = 80, .norm = true}, float>().run();
  RopeRun<2, 256, HeadTurn{.dimensions = 256, .norm = true}, Half>().run();
}

// Element i turns with i + dimensions / 2, whose norm is that of the head; dimensions / 2 is no multiple of 4.
TEST(RopeCache, TurnsHalves) {
  RopeRun<4, 64, HeadTurn{.dimensions = 44, .pairs = RopePairs::kHalves, .norm = true}, float>().run();
  RopeRun<4, 32, HeadTurn{.dimensions = 32, .pairs = RopePairs::kHalves}, Half>().run();
}

// Values are normed by a scale of their own, and do not turn.
TEST(RopeCache, NormsValues) {
  RopeRun<4, 80, HeadTurn{.dimensions = 80, .norm = true}, float, true>().run();
  RopeRun<2, 256, HeadTurn{.dimensions = 64, .pairs = RopePairs::kHalves, .norm = true}, Half, true>().run();
}

// Queries whose heads lie apart are those that lie side by side.
TEST(RopeCache, QueriesAreSomeColumns) {
  constexpr int kSize = 32, kHeads = 4;
  constexpr HeadTurn kTurn = {.dimensions = 8, .norm = true};
  RopeRun<kHeads, kSize, kTurn, float> run;
  std::vector<float> wide(2 * run.q.size(), 1e30f);
  for (size_t i = 0; i < run.q.size(); ++i) wide[i / kSize * 2 * kSize + kSize + i % kSize] = run.q[i];
  hostsim::launch({.grid = {kRows, 1}, .block = kHeadThreads}, [&] {
    ropeCache<RopeRun<kHeads, kSize, kTurn, float>::kShape, kTurn,
              QueryForm{.f16 = false, .view = {.columns = 2 * kHeads * kSize, .group = 2 * kSize, .count = kSize}}>(
        wide.data() + kSize, run.k.data(), run.v.data(), run.qScale.data(), run.kScale.data(),
        reinterpret_cast<const float2*>(run.angles.data()), run.positions.data(), run.slots.data(), run.table.data(),
        run.turned.data(), reinterpret_cast<uint8_t*>(run.kPool.data()), reinterpret_cast<uint8_t*>(run.vPool.data()),
        kEps);
  });
  run.check();
}

// Without heads it is a cache write.
TEST(RopeCache, KeysAndValuesAlone) {
  RopeRun<0, 16, HeadTurn{.dimensions = 0}, Half>().run();
}

// A position whose page is not there yet is dropped, not written before the pool.
TEST(RopeCache, AMissingPageIsNotWritten) {
  RopeRun<2, 16, HeadTurn{.dimensions = 16}, float> run;
  run.slots.assign(kRows, 0);
  run.launch();
  for (const std::vector<Half>* pool : {&run.kPool, &run.vPool})
    for (Half h : *pool) ASSERT_EQ(h.bits, 0x7e00);
}

/// Keys and values in blocks. A warp has heads of queries, keys and values.
template <int kSize, KvType kKeyType, KvType kValueType>
void expectStored() {
  constexpr int kHeads = 3, kPoolPages = 5;
  constexpr HeadTurn kTurn = {.dimensions = kSize};
  constexpr AttentionShape kShape = {.heads = kHeads * kKvHeads,
                                     .kvHeads = kKvHeads,
                                     .headSize = kSize,
                                     .tablePages = kPages,
                                     .keyType = kKeyType,
                                     .valueType = kValueType};
  using Shape = AttentionTraits<kShape>;
  RopeRun<kHeads * kKvHeads, kSize, kTurn, float> run;
  // Of ones, so that what nobody writes shows.
  std::vector<uint8_t> keys(kPoolPages * kKvHeads * Shape::Keys::kBytes, 0xff);
  std::vector<uint8_t> values(kPoolPages * kKvHeads * Shape::Values::kBytes, 0xff);
  constexpr unsigned kGroups = (kHeads + 2) * kKvHeads, kPerBlock = HeadTile<kSize>::kHeadsPerBlock;
  hostsim::launch({.grid = {kRows, (kGroups + kPerBlock - 1) / kPerBlock}, .block = kHeadThreads}, [&] {
    ropeCache<kShape, kTurn, QueryForm{.f16 = false}>(
        run.q.data(), run.k.data(), run.v.data(), nullptr, nullptr, reinterpret_cast<const float2*>(run.angles.data()),
        run.positions.data(), run.slots.data(), run.table.data(), run.turned.data(), keys.data(), values.data(), kEps);
  });
  const std::vector<double> turned = run.wanted(run.k, run.kScale, kKvHeads);
  std::vector<float> wantedK(turned.begin(), turned.end()), wantedV = run.v, gotK(run.k.size()), gotV = gotK;
  reference::roundToCache(kKeyType, wantedK.data(), wantedK.size());
  reference::roundToCache(kValueType, wantedV.data(), wantedV.size());
  for (int r = 0; r < kRows; ++r)
    for (int i = 0; i < kKvHeads * kSize; ++i) {
      const size_t at = r * kKvHeads * kSize + i;
      if (run.positions[r] < 0) {
        wantedK[at] = wantedV[at] = 0;
        continue;
      }
      const int head = run.table[run.slots[r] * kPages + run.positions[r] / 64] * kKvHeads + i / kSize;
      const testing::StoredHead key{kKeyType, 8 * Shape::kVectors, keys.data() + head * Shape::Keys::kBytes};
      const testing::StoredHead value{kValueType, 8 * Shape::kVectors, values.data() + head * Shape::Values::kBytes};
      for (int past = kSize; past < 8 * Shape::kVectors; ++past) {
        ASSERT_EQ(key.value(run.positions[r] % 64, past), 0.f);
        ASSERT_EQ(value.value(run.positions[r] % 64, past), 0.f);
      }
      gotK[at] = key.value(run.positions[r] % 64, i % kSize);
      gotV[at] = value.value(run.positions[r] % 64, i % kSize);
    }
  // A product that is rounded differently may turn a code that lies between two.
  EXPECT_LT(testing::normalizedError(gotK, wantedK), 1e-4);
  EXPECT_LT(testing::normalizedError(gotV, wantedV), 1e-4);
}

TEST(RopeCache, WritesBlocks) {
  expectStored<32, KvType::kQ8_0, KvType::kQ4_0>();
  expectStored<256, KvType::kQ4_1, KvType::kQ5_0>();
  expectStored<96, KvType::kQ5_1, KvType::kF16>();
}

// After a head of 100 come four zeros: what reads whole vectors multiplies with them.
TEST(RopeCache, FillsTheLastVectorOfAHead) {
  expectStored<100, KvType::kF16, KvType::kF16>();
  expectStored<40, KvType::kF16, KvType::kF16>();
  expectStored<4, KvType::kF16, KvType::kF16>();
}

TEST(RopeCache, WritesEveryTypeAsTheReferenceRoundsIt) {
#define LLCUDA_KV_TYPE(enumerator, ...) expectStored<64, KvType::enumerator, KvType::enumerator>();
#include "codegen/formats/kv_types.inc"
}

} // namespace
} // namespace llcuda
