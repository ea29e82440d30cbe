// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/rope/rope_cache.cuh"

#include <gtest/gtest.h>

#include "codegen/reference/rope.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/attention/paged_cache.h"

namespace llcuda {
namespace {

constexpr int kHeads = 6, kKvHeads = 2, kSize = 32, kPages = 3, kRows = 5, kSlots = 2;
using Shape = AttentionShape<kHeads, kKvHeads, kSize, kPages, 0>;

struct RopeRun {
  std::vector<int> positions{62, 63, -1, 64, 130}, slots{1, 1, 0, 1, 1};
  std::vector<int> table{-1, -1, -1, 4, 0, 2};
  std::vector<float> q = testing::randomFloats(kRows * kHeads * kSize, 1);
  std::vector<float> k = testing::randomFloats(kRows * kKvHeads * kSize, 2);
  std::vector<float> v = testing::randomFloats(kRows * kKvHeads * kSize, 3);
  std::vector<float> angles = testing::randomFloats(kPages * 64 * kSize, 4);
  std::vector<Half> rotated = std::vector<Half>(q.size(), Half{0x7e00});
  std::vector<Half> kPool = std::vector<Half>(5 * kKvHeads * 64 * kSize, Half{0x7e00}), vPool = kPool;

  template <int kDimensions>
  void run() {
    hostsim::launch({.grid = {kRows}, .block = kRopeThreads}, [&] {
      ropeCache<Shape, kDimensions>(q.data(), k.data(), v.data(), reinterpret_cast<const float2*>(angles.data()),
                                    positions.data(), slots.data(), table.data(), rotated.data(), kPool.data(),
                                    vPool.data());
    });
    std::vector<double> wantedQ(q.size()), wantedK(k.size());
    reference::rope<double>(q.data(), angles.data(), positions.data(), reference::RopePairs::kAdjacent, kRows, kHeads,
                            kSize, kDimensions, wantedQ.data());
    reference::rope<double>(k.data(), angles.data(), positions.data(), reference::RopePairs::kAdjacent, kRows, kKvHeads,
                            kSize, kDimensions, wantedK.data());
    size_t written = 0;
    for (int r = 0; r < kRows; ++r) {
      for (int i = 0; i < kHeads * kSize; ++i) {
        const size_t at = r * kHeads * kSize + i;
        if (positions[r] < 0)
          ASSERT_EQ(toFloat(rotated[at]), 0.f);
        else
          ASSERT_NEAR(toFloat(rotated[at]), wantedQ[at], 1e-3 * (1 + std::abs(wantedQ[at])));
      }
      for (int i = 0; positions[r] >= 0 && i < kKvHeads * kSize; ++i, ++written) {
        const size_t from = r * kKvHeads * kSize + i;
        const size_t page = table[slots[r] * kPages + positions[r] / 64];
        const size_t to = ((page * kKvHeads + i / kSize) * 64 + positions[r] % 64) * kSize + i % kSize;
        ASSERT_NEAR(toFloat(kPool[to]), wantedK[from], 1e-3 * (1 + std::abs(wantedK[from])));
        ASSERT_EQ(vPool[to].bits, toHalf(v[from]).bits);
      }
    }
    size_t touched = 0;
    for (Half h : kPool) touched += h.bits != 0x7e00;
    EXPECT_EQ(touched, written) << "a key landed where no row belongs";
  }
};

// Rows on both sides of a page edge and a padding row between them.
TEST(RopeCache, RotatesAndWritesPages) {
  RopeRun().run<kSize>();
}

// Only the first elements of a head rotate, an odd number of pairs of them; or none.
TEST(RopeCache, PartOfAHead) {
  RopeRun().run<14>();
  RopeRun().run<0>();
}

} // namespace
} // namespace llcuda
