// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/page_table.h"

#include <algorithm>
#include <numeric>

namespace llcuda {

PagePool::PagePool(uint32_t count) : free(count), counts(count), kept(count) {
  std::iota(free.rbegin(), free.rend(), 0);
}

int32_t PagePool::take() {
  if (free.empty())
    return -1;
  const int32_t page = free.back();
  free.pop_back();
  counts[static_cast<uint32_t>(page)] = 1;
  return page;
}

void PagePool::share(int32_t page) {
  assert(holders(page) > 0);
  idle -= isKept(page) && users(page) == 0;
  ++counts[static_cast<uint32_t>(page)];
}

void PagePool::release(int32_t page) {
  assert(users(page) > 0);
  if (--counts[static_cast<uint32_t>(page)] == 0)
    free.push_back(page);
  idle += isKept(page) && users(page) == 0;
}

void PagePool::keep(int32_t page) {
  assert(holders(page) > 0 && !isKept(page));
  ++counts[static_cast<uint32_t>(page)];
  kept[static_cast<uint32_t>(page)] = true;
}

void PagePool::drop(int32_t page) {
  assert(isKept(page));
  idle -= users(page) == 0;
  kept[static_cast<uint32_t>(page)] = false;
  if (--counts[static_cast<uint32_t>(page)] == 0)
    free.push_back(page);
}

PageTable::PageTable(const PageTableShape& shape)
    : facts(shape), table(std::size_t{shape.slots} * shape.maxPages, -1), held(shape.slots), pages(shape.poolPages) {}

uint32_t PageTable::firstSeen(uint32_t position) const {
  return facts.window == 0 ? 0 : (position + 1 - std::min(position + 1, facts.window)) / facts.pageTokens;
}

PageTable::Range PageTable::writable(uint32_t slot, uint32_t first) const {
  Range range = held[slot];
  for (uint32_t page = std::max(range.first, first / facts.pageTokens); page < range.end; ++page)
    if (pages.holders(row(slot)[page]) > 1)
      range.end = page;
  return range;
}

PageTable::Range PageTable::after(Range range, uint32_t first, uint32_t end) const {
  const uint32_t seen = firstSeen(first);
  if (range.first == range.end || seen < range.first || seen > range.end)
    range = {seen, seen}; // a sequence that begins
  range.end = std::max(range.end, pagesFor(end));
  if (range.end - range.first > facts.slotPages)
    range.first = std::min(seen, range.end - facts.slotPages);
  return range;
}

uint32_t PageTable::lacking(uint32_t slot, uint32_t first, uint32_t end, bool idleCounts) const {
  const Range now = writable(slot, first), then = after(now, first, end);
  const auto common = [](Range a, Range b) {
    const uint32_t from = std::max(a.first, b.first), to = std::min(a.end, b.end);
    return to > from ? to - from : 0;
  };
  uint32_t freed = 0; // given back before others are taken
  const auto free = [&](Range range) {
    for (uint32_t page = range.first; page < range.end; ++page)
      freed += (idleCounts ? pages.users(row(slot)[page]) : pages.holders(row(slot)[page])) == 1;
  };
  free({now.first, std::min(now.end, then.first)});
  free({std::max(now.first, then.end), now.end});
  const uint32_t wanted = then.end - then.first - common(now, then);
  return wanted - std::min(wanted, freed);
}

/// Gives back what is held outside `kept`.
bool PageTable::keep(uint32_t slot, Range kept) {
  Range& range = held[slot];
  bool changed = false;
  const auto giveBack = [&](uint32_t first, uint32_t end) {
    for (uint32_t page = first; page < end; ++page) {
      pages.release(entry(slot, page));
      entry(slot, page) = -1;
      changed = true;
    }
  };
  giveBack(range.first, std::min(range.end, kept.first));
  giveBack(std::max(range.first, kept.end), range.end);
  range = {std::max(range.first, kept.first), std::min(range.end, kept.end)};
  if (range.first >= range.end)
    range = {};
  return changed;
}

bool PageTable::reserve(uint32_t slot, uint32_t first, uint32_t end) {
  bool changed = keep(slot, writable(slot, first));
  const Range then = after(held[slot], first, end);
  assert(then.end <= facts.maxPages && then.end - then.first <= facts.slotPages);
  changed |= keep(slot, then);
  const auto take = [&](uint32_t first, uint32_t end) {
    for (uint32_t page = first; page < end; ++page) {
      entry(slot, page) = pages.take();
      assert(entry(slot, page) >= 0);
      changed = true;
    }
  };
  take(then.first, held[slot].first);
  take(std::max(then.first, held[slot].end), then.end);
  held[slot] = then;
  return changed;
}

bool PageTable::trim(uint32_t slot, uint32_t first, uint32_t end) {
  const bool changed = keep(slot, writable(slot, first));
  return keep(slot, after(held[slot], first, end)) || changed;
}

bool PageTable::truncate(uint32_t slot, uint32_t positions) {
  return keep(slot, {0, pagesFor(positions)});
}

bool PageTable::forget(uint32_t slot, uint32_t position) {
  return keep(slot, {firstSeen(position), facts.maxPages});
}

uint32_t PageTable::continuable(uint32_t slot, uint32_t positions) const {
  const Range range = held[slot];
  const auto there = [&](uint32_t count) { return firstSeen(count) >= range.first && pagesFor(count) <= range.end; };
  if (positions == 0 || !there(positions))
    return 0;
  const uint32_t page = positions / facts.pageTokens;
  if (positions % facts.pageTokens == 0 || pages.holders(row(slot)[page]) == 1)
    return positions;
  const uint32_t whole = page * facts.pageTokens;
  return there(whole) ? whole : 0;
}

void PageTable::share(uint32_t slot, uint32_t from, uint32_t positions) {
  assert(held[slot].first == held[slot].end && positions % facts.pageTokens == 0);
  assert(continuable(from, positions) == positions);
  const Range range = {firstSeen(positions), pagesFor(positions)};
  for (uint32_t page = range.first; page < range.end; ++page) {
    pages.share(entry(from, page));
    entry(slot, page) = entry(from, page);
  }
  held[slot] = range.first < range.end ? range : Range{};
}

void PageTable::begin(uint32_t slot, uint32_t first, std::span<const int32_t> given) {
  assert(held[slot].count() == 0 && given.size() <= facts.slotPages);
  for (uint32_t i = 0; i < given.size(); ++i) {
    pages.share(given[i]);
    entry(slot, first + i) = given[i];
  }
  held[slot] = given.empty() ? Range{} : Range{first, first + static_cast<uint32_t>(given.size())};
}

PageRange PageTable::heldBy(uint32_t slot, uint32_t positions) const {
  const Range range = held[slot];
  const uint32_t end = std::min(range.end, pagesFor(positions));
  return range.first < end ? Range{range.first, end} : Range{};
}

uint32_t PageTable::usedAlone(uint32_t slot) const {
  uint32_t count = 0;
  for (uint32_t page = held[slot].first; page < held[slot].end; ++page) count += pages.users(row(slot)[page]) == 1;
  return count;
}

void PageTable::take(uint32_t slot, PageRange range) {
  assert(held[slot].count() == 0 && range.count() <= pages.freeCount() && range.count() <= facts.slotPages);
  for (uint32_t page = range.first; page < range.end; ++page) entry(slot, page) = pages.take();
  held[slot] = range;
}

} // namespace llcuda
