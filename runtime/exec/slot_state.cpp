// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/slot_state.h"

#include <algorithm>

namespace llcuda {

SlotState::SlotState(const Engine& engine, const MemoryPlan& plan)
    : pageTokens(engine.metadata().page_tokens()), seen(engine.metadata().max_batch()) {
  const uint32_t slots = engine.metadata().max_batch();
  const auto& buffers = *engine.metadata().buffers();
  for (const fb::Buffer* buffer : buffers) hasStates |= buffer->kind() == fb::BufferKind::state;
  int32_t index = 0;
  for (const fb::Argument* argument : *engine.metadata().apply_edits()->arguments()) {
    const fb::Buffer& buffer = *buffers[argument->buffer()];
    if (buffer.role() != fb::IoRole::block_table)
      continue;
    if (const KvGroupPlan* group = plan.group(buffer.window()))
      tables.push_back({index,
                        PageTable({.slots = slots,
                                   .maxPages = engine.maxPages(),
                                   .pageTokens = pageTokens,
                                   .window = buffer.window(),
                                   .slotPages = group->slotPages,
                                   .poolPages = group->pages}),
                        std::vector<int32_t>(std::size_t{slots} * engine.maxPages(), -1), std::vector<bool>(slots)});
    ++index;
  }
}

Result<void> SlotState::reserve(uint32_t slot, uint32_t first, uint32_t end) {
  for (const Group& group : tables)
    if (const uint32_t missing = group.table.missing(slot, first, end); missing > group.table.pool().freeCount())
      return outOfMemory("the KV cache has ", group.table.pool().freeCount(), " free pages, slot ", slot, " needs ",
                         missing, " more");
  for (Group& group : tables)
    if (group.table.reserve(slot, first, end))
      group.changed[slot] = true;
  seen[slot] = {end, end - first == 1 ? first : Seen::kNone};
  return {};
}

void SlotState::truncate(uint32_t slot, uint32_t positions) {
  for (Group& group : tables)
    if (group.table.truncate(slot, positions))
      group.changed[slot] = true;
}

void SlotState::forget(uint32_t slot, uint32_t position) {
  for (Group& group : tables)
    if (group.table.forget(slot, position))
      group.changed[slot] = true;
}

std::vector<PageEdit> SlotState::takeEdits(std::size_t most) {
  std::vector<PageEdit> edits;
  for (Group& group : tables) {
    for (uint32_t slot = 0; slot < group.changed.size(); ++slot) {
      if (!group.changed[slot])
        continue;
      const std::span<const int32_t> row = group.table.row(slot);
      const std::size_t first = std::size_t{slot} * row.size();
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (group.told[first + i] == row[i])
          continue;
        if (edits.size() == most)
          return edits;
        group.told[first + i] = row[i];
        edits.push_back({group.index, static_cast<int32_t>(first + i), row[i]});
      }
      group.changed[slot] = false;
    }
  }
  return edits;
}

uint32_t SlotState::continuable(uint32_t slot, uint32_t positions) const {
  const auto isThere = [&] { return !hasStates || seen[slot].now == positions || seen[slot].before == positions; };
  if (!isThere())
    return 0;
  for (uint32_t before = positions + 1; before != positions;) {
    before = positions;
    for (const Group& group : tables) positions = group.table.continuable(slot, positions);
  }
  return isThere() ? positions : 0;
}

uint32_t SlotState::share(uint32_t slot, uint32_t from, uint32_t positions) {
  if (hasStates)
    return 0;
  for (uint32_t before = positions + 1; before != positions;) {
    before = positions;
    positions = continuable(from, positions / pageTokens * pageTokens);
  }
  for (Group& group : tables) {
    group.table.share(slot, from, positions);
    group.changed[slot] = true;
  }
  return positions;
}

void SlotState::trim(uint32_t slot, uint32_t first, uint32_t end) {
  for (Group& group : tables)
    if (group.table.trim(slot, first, end))
      group.changed[slot] = true;
}

void SlotState::begin(uint32_t slot, std::span<const Beginning> given, uint32_t positions) {
  assert(!hasStates && given.size() == tables.size());
  for (std::size_t g = 0; g < tables.size(); ++g) {
    tables[g].table.begin(slot, given[g].first, given[g].pages);
    tables[g].changed[slot] = true;
  }
  seen[slot] = {positions, Seen::kNone};
}

Result<void> SlotState::take(uint32_t slot, std::span<const PageRange> ranges, uint32_t positions) {
  for (std::size_t g = 0; g < tables.size(); ++g)
    if (const uint32_t free = tables[g].table.pool().freeCount(); ranges[g].count() > free)
      return outOfMemory("the KV cache has ", free, " free pages, slot ", slot, " needs ", ranges[g].count());
  for (std::size_t g = 0; g < tables.size(); ++g) {
    tables[g].table.take(slot, ranges[g]);
    tables[g].changed[slot] = true;
  }
  seen[slot] = {positions, Seen::kNone};
  return {};
}

} // namespace llcuda
