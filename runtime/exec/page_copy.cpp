// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/page_copy.h"

#include <cassert>

namespace llcuda {

PageCopier::PageCopier(const Engine& engine, const SlotState& state, const SessionMemory& memory,
                       const cuda::Stream& stream)
    : stream(stream), groups(state.groups().size()) {
  const auto& buffers = *engine.metadata().buffers();
  for (uint32_t b = 0; b < buffers.size(); ++b) {
    const Part part = {memory.address(b), buffers[b]->bytes()};
    if (buffers[b]->kind() == fb::BufferKind::state)
      states.push_back(part);
    if (buffers[b]->kind() != fb::BufferKind::kv)
      continue;
    for (std::size_t group = 0; group < groups.size(); ++group)
      if (state.groups()[group].table.shape().window == buffers[b]->window())
        groups[group].push_back(part);
  }
}

std::vector<uint64_t> PageCopier::blockBytes() const {
  std::vector<uint64_t> bytes;
  const auto add = [&](std::span<const Part> parts) {
    bytes.push_back(0);
    for (const Part& part : parts) bytes.back() += part.bytes;
  };
  for (const std::vector<Part>& group : groups) add(group);
  add(states);
  return bytes;
}

Result<void> PageCopier::pageOut(std::size_t group, int32_t page, std::span<std::byte> to) const {
  return out(groups[group], static_cast<uint64_t>(page), to);
}

Result<void> PageCopier::pageIn(std::size_t group, int32_t page, std::span<const std::byte> from) const {
  return in(groups[group], static_cast<uint64_t>(page), from);
}

Result<void> PageCopier::out(std::span<const Part> parts, uint64_t item, std::span<std::byte> to) const {
  for (const Part& part : parts) {
    LLCUDA_RETURN_IF_ERROR(stream.copyToHost(to.first(part.bytes), part.address + item * part.bytes));
    to = to.subspan(part.bytes);
  }
  assert(to.empty());
  return {};
}

Result<void> PageCopier::in(std::span<const Part> parts, uint64_t item, std::span<const std::byte> from) const {
  for (const Part& part : parts) {
    LLCUDA_RETURN_IF_ERROR(stream.copyToDevice(part.address + item * part.bytes, from.first(part.bytes)));
    from = from.subspan(part.bytes);
  }
  assert(from.empty());
  return {};
}

} // namespace llcuda
