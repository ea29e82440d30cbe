// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/page_table.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace llcuda {
namespace {

TEST(PagePool, CountsHolders) {
  PagePool pool(3);
  EXPECT_EQ(pool.take(), 0);
  EXPECT_EQ(pool.take(), 1);
  EXPECT_EQ(pool.take(), 2);
  EXPECT_EQ(pool.take(), -1);
  pool.share(1);
  EXPECT_EQ(pool.holders(1), 2u);
  pool.release(1);
  EXPECT_EQ(pool.freeCount(), 0u);
  pool.release(1);
  EXPECT_EQ(pool.freeCount(), 1u);
  EXPECT_EQ(pool.take(), 1);
}

TEST(PageTable, ReservesAndTruncatesWholePages) {
  PageTable table({.slots = 2, .maxPages = 4, .pageTokens = 64, .slotPages = 4, .poolPages = 8});
  EXPECT_EQ(table.missing(1, 0, 65), 2u);
  EXPECT_TRUE(table.reserve(1, 0, 65));
  EXPECT_GE(table.row(1)[1], 0);
  EXPECT_EQ(table.row(1)[2], -1);
  EXPECT_EQ(table.row(0)[0], -1);
  EXPECT_FALSE(table.reserve(1, 65, 128)); // the second page has room
  EXPECT_FALSE(table.truncate(1, 65));     // position 64 is still used
  EXPECT_TRUE(table.truncate(1, 64));
  EXPECT_EQ(table.row(1)[1], -1);
  EXPECT_EQ(table.continuable(1, 64), 64u);
  EXPECT_EQ(table.continuable(1, 65), 0u);
  EXPECT_TRUE(table.truncate(1, 0));
  EXPECT_EQ(table.pool().freeCount(), 8u);
}

// Pages of four positions, rows that see six, four pages a slot: what the window has passed stays until its page is
// needed.
TEST(PageTable, AWindowMovesOn) {
  PageTable table({.slots = 1, .maxPages = 8, .pageTokens = 4, .window = 6, .slotPages = 4, .poolPages = 4});
  for (uint32_t position = 0; position < 16; ++position) table.reserve(0, position, position + 1);
  EXPECT_EQ(table.pool().freeCount(), 0u);
  for (uint32_t positions = 1; positions <= 16; ++positions) EXPECT_EQ(table.continuable(0, positions), positions);
  EXPECT_EQ(table.missing(0, 16, 17), 0u);
  EXPECT_TRUE(table.reserve(0, 16, 17));
  EXPECT_EQ(table.row(0)[0], -1);
  EXPECT_EQ(table.continuable(0, 9), 9u); // sees 4 to 9
  EXPECT_EQ(table.continuable(0, 8), 0u); // would see 3
  EXPECT_TRUE(table.reserve(0, 17, 25));  // a chunk of eight
  EXPECT_EQ(table.row(0)[2], -1);
  EXPECT_GE(table.row(0)[3], 0); // position 12 is seen by 17
  EXPECT_TRUE(table.forget(0, 25));
  EXPECT_EQ(table.row(0)[4], -1); // 25 sees 20 and on
  EXPECT_EQ(table.pool().freeCount(), 2u);
  EXPECT_TRUE(table.reserve(0, 0, 3)); // begins again
  EXPECT_EQ(table.row(0)[5], -1);
  EXPECT_EQ(table.continuable(0, 3), 3u);
  EXPECT_EQ(table.pool().freeCount(), 3u);
}

// A shared page goes back with its last holder, and nobody writes to it before.
TEST(PageTable, SharedPages) {
  PageTable table({.slots = 3, .maxPages = 4, .pageTokens = 4, .slotPages = 4, .poolPages = 6});
  table.reserve(0, 0, 10);
  table.share(1, 0, 8);
  EXPECT_EQ(table.row(1)[1], table.row(0)[1]);
  EXPECT_EQ(table.row(1)[2], -1);
  EXPECT_EQ(table.pool().freeCount(), 3u);
  EXPECT_EQ(table.continuable(1, 8), 8u);
  EXPECT_EQ(table.continuable(1, 7), 4u); // the rest of the second page would be written
  EXPECT_EQ(table.continuable(0, 10), 10u);
  EXPECT_EQ(table.missing(1, 4, 8), 1u);
  EXPECT_TRUE(table.reserve(1, 4, 8));
  EXPECT_EQ(table.row(1)[0], table.row(0)[0]);
  EXPECT_NE(table.row(1)[1], table.row(0)[1]);
  EXPECT_TRUE(table.reserve(0, 0, 1)); // begins again, in a page of its own; the others go
  EXPECT_NE(table.row(1)[0], table.row(0)[0]);
  table.truncate(0, 0);
  EXPECT_EQ(table.pool().freeCount(), 4u);
  table.truncate(1, 0);
  EXPECT_EQ(table.pool().freeCount(), 6u);
}

// Whatever comes, a page has as many holders as the table names it, and none is lost.
TEST(PageTable, PagesAreNeitherMixedNorLost) {
  constexpr uint32_t kSlots = 5, kMaxPages = 9, kPages = 22;
  for (const uint32_t window : {0u, 20u}) {
    const uint32_t slotPages = window == 0 ? kMaxPages : 4;
    PageTable table({.slots = kSlots,
                     .maxPages = kMaxPages,
                     .pageTokens = 16,
                     .window = window,
                     .slotPages = slotPages,
                     .poolPages = kPages});
    std::mt19937 random(7);
    uint32_t lengths[kSlots] = {};
    for (int step = 0; step < 5000; ++step) {
      const uint32_t slot = random() % kSlots, other = random() % kSlots;
      const uint32_t from = table.continuable(slot, random() % (lengths[slot] + 1));
      const uint32_t end = std::min<uint32_t>(from + 1 + random() % 17, kMaxPages * 16);
      const uint32_t shared = lengths[other] / 16 * 16;
      if (random() % 4 == 0) {
        lengths[slot] = from;
        table.truncate(slot, from);
      } else if (slot != other && lengths[slot] == 0 && shared != 0 && table.continuable(other, shared) == shared) {
        table.truncate(slot, 0);
        table.share(slot, other, shared);
        lengths[slot] = shared;
      } else if (from < end && table.missing(slot, from, end) <= table.pool().freeCount()) {
        table.reserve(slot, from, end);
        lengths[slot] = end;
        ASSERT_EQ(table.continuable(slot, end), end);
        for (uint32_t page = from / 16; page < (end + 15) / 16; ++page)
          ASSERT_EQ(table.pool().holders(table.row(slot)[page]), 1u) << "written pages are the slot's own";
      }
      std::map<int32_t, uint32_t> named;
      for (const int32_t page : table.entries())
        if (page >= 0)
          ++named[page];
      for (const auto& [page, count] : named) ASSERT_EQ(table.pool().holders(page), count);
      ASSERT_EQ(named.size() + table.pool().freeCount(), kPages);
    }
  }
}

} // namespace
} // namespace llcuda
