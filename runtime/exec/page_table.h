// SPDX-License-Identifier: Apache-2.0
// Who owns which page of the KV pools: the host's side of the block table.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/base/result.h"

namespace llcuda {

/// Hands out page numbers 0 ... count - 1. One page number stands for the same page in every layer's pools.
class PageAllocator {
public:
  explicit PageAllocator(uint32_t count);

  uint32_t freeCount() const { return static_cast<uint32_t>(free.size()); }
  /// -1 when none is left.
  int32_t allocate();
  void release(int32_t page);

private:
  std::vector<int32_t> free; // taken from the back; the lowest numbers first in a fresh allocator
};

/// The block table [slots][maxPages] as the device reads it; -1 where a slot has no page.
class PageTable {
public:
  PageTable(uint32_t slots, uint32_t maxPages, uint32_t pageTokens, uint32_t pageCount);

  /// Gives `slot` pages for positions 0 ... positions - 1; true when entries changed. All or nothing: kOutOfMemory
  /// when too few pages are free.
  Result<bool> reserve(uint32_t slot, uint32_t positions);
  /// Takes back the pages of `slot` that lie wholly at or after `positions`; true when entries changed.
  bool truncate(uint32_t slot, uint32_t positions);

  std::span<const int32_t> entries() const { return table; }
  std::span<const int32_t> row(uint32_t slot) const { return entries().subspan(slot * maxPages, maxPages); }
  uint32_t freePages() const { return allocator.freeCount(); }

private:
  uint32_t pagesFor(uint32_t positions) const { return (positions + pageTokens - 1) / pageTokens; }

  uint32_t maxPages;
  uint32_t pageTokens;
  std::vector<int32_t> table;
  std::vector<uint32_t> owned; // pages of each slot
  PageAllocator allocator;
};

} // namespace llcuda
