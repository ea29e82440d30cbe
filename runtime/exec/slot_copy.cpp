// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/slot_copy.h"

#include <utility>

namespace llcuda {
namespace {

std::vector<PageRange> rangesOf(const SlotState& state, uint32_t slot, uint32_t positions) {
  std::vector<PageRange> ranges;
  for (const SlotState::Group& group : state.groups()) ranges.push_back(group.table.heldBy(slot, positions));
  return ranges;
}

/// Calls `visit(address, bytes)` for what a slot has on the device: of each pool its pages, neighbours as one, and its
/// states, always in the same order.
template <typename Visit>
Result<void> visitSlot(const Engine& engine, const SlotState& state, uint32_t slot, std::span<const PageRange> ranges,
                       const SessionMemory* memory, Visit visit) {
  const auto& buffers = *engine.metadata().buffers();
  for (uint32_t b = 0; b < buffers.size(); ++b) {
    const uint64_t bytes = buffers[b]->bytes(), base = memory ? memory->address(b) : 0;
    if (buffers[b]->kind() == fb::BufferKind::state)
      LLCUDA_RETURN_IF_ERROR(visit(base + slot * bytes, bytes));
    if (buffers[b]->kind() != fb::BufferKind::kv)
      continue;
    for (std::size_t g = 0; g < ranges.size(); ++g) {
      const PageTable& table = state.groups()[g].table;
      if (table.shape().window != buffers[b]->window())
        continue;
      const std::span<const int32_t> row = table.row(slot);
      for (uint32_t page = ranges[g].first, next = page; page < ranges[g].end; page = next) {
        for (next = page + 1; next < ranges[g].end && row[next] == row[next - 1] + 1;) ++next;
        LLCUDA_RETURN_IF_ERROR(visit(base + static_cast<uint64_t>(row[page]) * bytes, (next - page) * bytes));
      }
    }
  }
  return {};
}

} // namespace

uint64_t SlotCopy::bytesOf(const Engine& engine, const SlotState& state, uint32_t slot, uint32_t positions) {
  uint64_t sum = 0;
  (void)visitSlot(engine, state, slot, rangesOf(state, slot, positions), nullptr, [&](uint64_t, uint64_t bytes) {
    sum += bytes;
    return Result<void>();
  });
  return sum;
}

Result<SlotCopy> SlotCopy::of(const Program& program, const SessionMemory& memory, const SlotState& state,
                              const cuda::Stream& stream, uint32_t slot, uint32_t positions) {
  const auto& context = program.device().context;
  SlotCopy copy;
  copy.count = positions;
  copy.pages = rangesOf(state, slot, positions);
  LLCUDA_ASSIGN_OR_RETURN(
      copy.host,
      cuda::PinnedMemory::allocate(context, bytesOf(program.engine(), state, slot, positions), "a paused sequence"));
  LLCUDA_ASSIGN_OR_RETURN(copy.done, cuda::Event::create(context));
  std::span<std::byte> room = copy.host.bytes();
  const auto read = [&](uint64_t from, uint64_t bytes) {
    const std::span<std::byte> to = room.first(bytes);
    room = room.subspan(bytes);
    return stream.copyToHost(to, from);
  };
  LLCUDA_RETURN_IF_ERROR(visitSlot(program.engine(), state, slot, copy.pages, &memory, read));
  LLCUDA_RETURN_IF_ERROR(stream.record(copy.done));
  return copy;
}

Result<void> SlotCopy::restore(const Program& program, const SessionMemory& memory, const SlotState& state,
                               const cuda::Stream& stream, uint32_t slot) const {
  std::span<const std::byte> room = host.bytes();
  const auto write = [&](uint64_t to, uint64_t bytes) {
    const std::span<const std::byte> from = room.first(bytes);
    room = room.subspan(bytes);
    return stream.copyToDevice(to, from);
  };
  LLCUDA_RETURN_IF_ERROR(visitSlot(program.engine(), state, slot, pages, &memory, write));
  return stream.record(done);
}

} // namespace llcuda
