// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/page_table.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace llcuda {
namespace {

TEST(PageAllocator, HandsOutEachPageOnce) {
  PageAllocator allocator(3);
  EXPECT_EQ(allocator.allocate(), 0);
  EXPECT_EQ(allocator.allocate(), 1);
  EXPECT_EQ(allocator.allocate(), 2);
  EXPECT_EQ(allocator.allocate(), -1);
  allocator.release(1);
  EXPECT_EQ(allocator.freeCount(), 1u);
  EXPECT_EQ(allocator.allocate(), 1);
}

TEST(PageTable, ReservesAndTruncatesWholePages) {
  PageTable table(2, 4, 64, 8);
  EXPECT_TRUE(*table.reserve(1, 65));
  EXPECT_GE(table.row(1)[1], 0);
  EXPECT_EQ(table.row(1)[2], -1);
  EXPECT_EQ(table.row(0)[0], -1);
  EXPECT_FALSE(*table.reserve(1, 128)); // the second page has room
  EXPECT_FALSE(table.truncate(1, 65));  // position 64 is still used
  EXPECT_TRUE(table.truncate(1, 64));
  EXPECT_EQ(table.row(1)[1], -1);
  EXPECT_TRUE(table.truncate(1, 0));
  EXPECT_EQ(table.freePages(), 8u);
}

// A request that cannot be met takes nothing.
TEST(PageTable, RefusesWhole) {
  PageTable table(2, 4, 64, 5);
  ASSERT_TRUE(table.reserve(0, 256).ok());
  const auto refused = table.reserve(1, 128);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kOutOfMemory);
  EXPECT_EQ(table.freePages(), 1u);
  EXPECT_EQ(table.row(1)[0], -1);
}

// Whatever comes, no page has two owners and none is lost.
TEST(PageTable, PagesAreNeitherSharedNorLost) {
  constexpr uint32_t kSlots = 5, kMaxPages = 7, kPages = 20;
  PageTable table(kSlots, kMaxPages, 16, kPages);
  std::mt19937 random(7);
  for (int step = 0; step < 5000; ++step) {
    const uint32_t slot = random() % kSlots, positions = random() % (kMaxPages * 16 + 1);
    if (random() % 2)
      (void)table.reserve(slot, positions);
    else
      table.truncate(slot, positions);
    std::set<int32_t> owned;
    uint32_t count = 0;
    for (int32_t page : table.entries())
      if (page >= 0) {
        ASSERT_LT(page, static_cast<int32_t>(kPages));
        owned.insert(page);
        ++count;
      }
    ASSERT_EQ(owned.size(), count);
    ASSERT_EQ(count + table.freePages(), kPages);
  }
}

} // namespace
} // namespace llcuda
