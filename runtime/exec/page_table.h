// SPDX-License-Identifier: Apache-2.0
// Who holds which page of the KV pools: the host's side of a block table.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/base/result.h"

namespace llcuda {

/// Page numbers 0 ... count - 1 and how many hold each of them. One number stands for the same page in the pools of
/// every layer of a group. One holder may be the cache of prefixes; a page that it alone holds is idle: it gives it up
/// when somebody needs it.
class PagePool {
public:
  explicit PagePool(uint32_t count);

  uint32_t freeCount() const { return static_cast<uint32_t>(free.size()); }
  uint32_t idleCount() const { return idle; }
  /// Pages that are there for whoever needs them.
  uint32_t availableCount() const { return freeCount() + idle; }
  /// A page with one holder; -1 when none is free.
  int32_t take();
  /// One holder more of a page that has some.
  void share(int32_t page);
  /// One holder less; a page without is free.
  void release(int32_t page);
  uint32_t holders(int32_t page) const { return counts[static_cast<uint32_t>(page)]; }

  /// The cache holds a page too, which has holders.
  void keep(int32_t page);
  /// It does no longer.
  void drop(int32_t page);
  bool isKept(int32_t page) const { return kept[static_cast<uint32_t>(page)]; }
  /// Holders beside the cache.
  uint32_t users(int32_t page) const { return holders(page) - isKept(page); }

private:
  std::vector<int32_t> free;    // taken from the back; the lowest numbers first in a fresh pool
  std::vector<uint32_t> counts; // of each page
  std::vector<bool> kept;       // by the cache
  uint32_t idle = 0;            // kept, and by nobody else
};

/// What a table is made for.
struct PageTableShape {
  uint32_t slots = 1;
  uint32_t maxPages = 1;   ///< entries of a slot
  uint32_t pageTokens = 1; ///< positions of a page
  uint32_t window = 0;     ///< positions that a row sees, its own included; 0: all
  uint32_t slotPages = 1;  ///< that a slot may hold at a time
  uint32_t poolPages = 1;
};

/// Pages first ... end - 1 of a sequence.
struct PageRange {
  uint32_t first = 0;
  uint32_t end = 0;

  uint32_t count() const { return end - first; }
};

/// The block table [slots][maxPages] of one group as the device reads it; -1 where a slot has no page. A slot holds the
/// pages of positions that follow one another. Where rows see a window, pages that it has passed stay as long as the
/// slot may hold them, so that a sequence can go back; then the oldest of them are given back.
class PageTable {
public:
  explicit PageTable(const PageTableShape& shape);

  const PageTableShape& shape() const { return facts; }

  /// Pages that reserve() would have to take of those that are free.
  uint32_t missing(uint32_t slot, uint32_t first, uint32_t end) const { return lacking(slot, first, end, false); }
  /// Pages that trim() and reserve() together take of those that are available.
  uint32_t needed(uint32_t slot, uint32_t first, uint32_t end) const { return lacking(slot, first, end, true); }
  /// Gives `slot` pages of its own for positions `first` ... `end` - 1, which are about to be written, and keeps those
  /// that their rows see: `first` is 0 or continuable(). True when entries changed. The pool has missing() pages.
  bool reserve(uint32_t slot, uint32_t first, uint32_t end);
  /// Gives back what reserve() would, and takes nothing; true when entries changed.
  bool trim(uint32_t slot, uint32_t first, uint32_t end);
  /// Gives back the pages of `slot` that lie wholly at or after `positions`; true when entries changed.
  bool truncate(uint32_t slot, uint32_t positions);
  /// Gives back the pages of `slot` that a row at `position`, and those after it, do not see; true when entries
  /// changed.
  bool forget(uint32_t slot, uint32_t position);
  /// How many of the first `positions` of a slot the row at that place can build on: all, or fewer where the pages that
  /// it sees are gone, or the page that it would be written to has other holders.
  uint32_t continuable(uint32_t slot, uint32_t positions) const;
  /// Makes `slot`, which has no pages, a holder of the pages of `from` that a row at `positions` sees: a whole number
  /// of pages, continuable() in `from`.
  void share(uint32_t slot, uint32_t from, uint32_t positions);
  /// Makes `slot`, which has no pages, a holder of these, its pages `first` and on. They have holders.
  void begin(uint32_t slot, uint32_t first, std::span<const int32_t> given);

  /// The first page that a row at `position` sees something of.
  uint32_t firstSeen(uint32_t position) const;

  std::span<const int32_t> entries() const { return table; }
  std::span<const int32_t> row(uint32_t slot) const {
    return entries().subspan(std::size_t{slot} * facts.maxPages, facts.maxPages);
  }
  const PagePool& pool() const { return pages; }
  PagePool& pool() { return pages; }

  /// What a slot holds of the pages of its first `positions` positions.
  PageRange heldBy(uint32_t slot, uint32_t positions) const;
  /// Of what it holds, pages that no other slot uses.
  uint32_t usedAlone(uint32_t slot) const;
  /// Gives a slot that has none pages of its own. The pool has as many.
  void take(uint32_t slot, PageRange range);
  /// Pages that a sequence of `positions` positions holds at most at a time, while it is computed from the first on.
  uint32_t mostPages(uint32_t positions) const { return std::min(pagesFor(positions), facts.slotPages); }

private:
  using Range = PageRange;

  uint32_t pagesFor(uint32_t positions) const { return (positions + facts.pageTokens - 1) / facts.pageTokens; }
  /// Pages that the slot will have taken for positions `first` ... `end` - 1, less those that it gives back: to the
  /// free ones or, with `idleCounts`, to the idle ones too.
  uint32_t lacking(uint32_t slot, uint32_t first, uint32_t end, bool idleCounts) const;
  /// What the slot holds, up to the first page with other holders of those that positions from `first` on are written
  /// to.
  Range writable(uint32_t slot, uint32_t first) const;
  /// What a slot that holds `now` holds after reserve().
  Range after(Range now, uint32_t first, uint32_t end) const;
  int32_t& entry(uint32_t slot, uint32_t page) { return table[std::size_t{slot} * facts.maxPages + page]; }
  bool keep(uint32_t slot, Range kept);

  PageTableShape facts;
  std::vector<int32_t> table;
  std::vector<Range> held; // of each slot
  PagePool pages;
};

} // namespace llcuda
