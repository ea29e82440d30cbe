// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/page_table.h"

#include <numeric>

namespace llcuda {

PageAllocator::PageAllocator(uint32_t count) : free(count) {
  std::iota(free.rbegin(), free.rend(), 0);
}

int32_t PageAllocator::allocate() {
  if (free.empty())
    return -1;
  const int32_t page = free.back();
  free.pop_back();
  return page;
}

void PageAllocator::release(int32_t page) {
  free.push_back(page);
}

PageTable::PageTable(uint32_t slots, uint32_t maxPages, uint32_t pageTokens, uint32_t pageCount)
    : maxPages(maxPages), pageTokens(pageTokens), table(slots * maxPages, -1), owned(slots), allocator(pageCount) {}

Result<bool> PageTable::reserve(uint32_t slot, uint32_t positions) {
  const uint32_t wanted = pagesFor(positions);
  assert(wanted <= maxPages);
  if (wanted <= owned[slot])
    return false;
  if (wanted - owned[slot] > allocator.freeCount())
    return outOfMemory("the KV cache has ", allocator.freeCount(), " free pages, slot ", slot, " needs ",
                       wanted - owned[slot], " more");
  while (owned[slot] < wanted) table[slot * maxPages + owned[slot]++] = allocator.allocate();
  return true;
}

bool PageTable::truncate(uint32_t slot, uint32_t positions) {
  const uint32_t kept = pagesFor(positions);
  if (owned[slot] <= kept)
    return false;
  while (owned[slot] > kept) {
    int32_t& entry = table[slot * maxPages + --owned[slot]];
    allocator.release(entry);
    entry = -1;
  }
  return true;
}

} // namespace llcuda
