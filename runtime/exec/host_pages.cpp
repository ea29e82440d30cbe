// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/host_pages.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

namespace llcuda {
namespace {

constexpr uint64_t kSlabsOfBudget = 16; ///< at least, where a block is small enough

} // namespace

HostPages::HostPages(std::shared_ptr<const cuda::Context> given, std::vector<uint64_t> bytes, uint64_t budget)
    : context(std::move(given)), blockBytes(std::move(bytes)) {
  uint64_t largest = 0;
  for (const uint64_t block : blockBytes) largest = std::max(largest, block);
  if (largest == 0 || largest > budget)
    return;
  slabBytes = std::max(largest, std::min(kSlabBytes, budget / kSlabsOfBudget) / largest * largest);
  mostSlabs = budget / slabBytes;
}

void HostPages::serve(Slab& slab, std::size_t kind) const {
  slab.kind = kind;
  slab.free.resize(slabBytes / blockBytes[kind]);
  std::iota(slab.free.rbegin(), slab.free.rend(), 0u);
}

Result<std::optional<HostPages::Block>> HostPages::take(std::size_t kind) {
  assert(blockBytes[kind] != 0);
  auto slab = std::ranges::find_if(slabs, [&](const Slab& s) { return s.kind == kind && !s.free.empty(); });
  if (slab == slabs.end()) {
    slab = std::ranges::find(slabs, 0u, &Slab::taken);
    if (slab == slabs.end()) {
      if (slabs.size() == mostSlabs)
        return std::optional<Block>();
      Result<cuda::PinnedMemory> memory = cuda::PinnedMemory::allocate(context, slabBytes, "the cache in host memory");
      if (!memory && memory.error().code != ErrorCode::kOutOfMemory)
        return memory.error();
      if (!memory) {
        mostSlabs = slabs.size(); // it is not asked again at every page
        return std::optional<Block>();
      }
      slabs.emplace_back().memory = std::move(*memory);
      slab = std::prev(slabs.end());
    }
    serve(*slab, kind);
  }
  const Block block = {static_cast<uint32_t>(slab - slabs.begin()), slab->free.back()};
  slab->free.pop_back();
  ++slab->taken;
  used += blockBytes[kind];
  return std::optional(block);
}

void HostPages::give(Block block) {
  Slab& slab = slabs[block.slab];
  slab.free.push_back(block.index);
  --slab.taken;
  used -= blockBytes[slab.kind];
}

std::span<std::byte> HostPages::bytes(Block block) {
  const uint64_t size = blockBytes[slabs[block.slab].kind];
  return slabs[block.slab].memory.bytes().subspan(block.index * size, size);
}

} // namespace llcuda
