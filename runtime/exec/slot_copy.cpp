// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/slot_copy.h"

#include <utility>

namespace llcuda {
namespace {

/// Calls `visit(kind, page)` for each block of a copy, always in the same order; a slot's states have no page.
template <typename Visit>
Result<void> visitBlocks(const HostPages& host, const SlotState& state, uint32_t slot,
                         std::span<const PageRange> ranges, Visit visit) {
  for (std::size_t group = 0; group < ranges.size(); ++group) {
    const std::span<const int32_t> row = state.groups()[group].table.row(slot);
    for (uint32_t page = ranges[group].first; page < ranges[group].end; ++page)
      LLCUDA_RETURN_IF_ERROR(visit(group, row[page]));
  }
  const std::size_t states = ranges.size();
  return host.bytesOf(states) == 0 ? Result<void>() : visit(states, -1);
}

} // namespace

SlotCopy::SlotCopy(SlotCopy&& other) noexcept
    : host(other.host), count(other.count), pages(std::move(other.pages)), blocks(std::exchange(other.blocks, {})) {}

SlotCopy::~SlotCopy() {
  for (const HostPages::Block& block : blocks) host->give(block);
}

Result<bool> SlotCopy::take(std::size_t kind) {
  LLCUDA_ASSIGN_OR_RETURN(const std::optional<HostPages::Block> block, host->take(kind));
  if (block)
    blocks.push_back(*block);
  return block.has_value();
}

Result<std::optional<SlotCopy>> SlotCopy::of(const PageCopier& copier, HostPages& host, const SlotState& state,
                                             uint32_t slot, uint32_t positions) {
  SlotCopy copy(host);
  copy.count = positions;
  for (const SlotState::Group& group : state.groups()) copy.pages.push_back(group.table.heldBy(slot, positions));
  bool hasRoom = true;
  LLCUDA_RETURN_IF_ERROR(visitBlocks(host, state, slot, copy.pages, [&](std::size_t kind, int32_t) -> Result<void> {
    if (hasRoom) {
      LLCUDA_ASSIGN_OR_RETURN(hasRoom, copy.take(kind));
    }
    return {};
  }));
  if (!hasRoom)
    return std::optional<SlotCopy>();
  std::size_t next = 0;
  LLCUDA_RETURN_IF_ERROR(visitBlocks(host, state, slot, copy.pages, [&](std::size_t kind, int32_t page) {
    const std::span<std::byte> to = host.bytes(copy.blocks[next++]);
    return page < 0 ? copier.statesOut(slot, to) : copier.pageOut(kind, page, to);
  }));
  return std::optional(std::move(copy));
}

Result<void> SlotCopy::restore(const PageCopier& copier, const SlotState& state, uint32_t slot) const {
  std::size_t next = 0;
  return visitBlocks(*host, state, slot, pages, [&](std::size_t kind, int32_t page) {
    const std::span<const std::byte> from = host->bytes(blocks[next++]);
    return page < 0 ? copier.statesIn(slot, from) : copier.pageIn(kind, page, from);
  });
}

uint64_t SlotCopy::bytes() const {
  uint64_t sum = 0;
  for (const HostPages::Block& block : blocks) sum += host->bytes(block).size();
  return sum;
}

} // namespace llcuda
