// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/slot_state.h"

#include <algorithm>

namespace llcuda {

SlotState::SlotState(const Engine& engine, const MemoryPlan& plan)
    : pageTokens(engine.metadata().page_tokens()), computed(engine.metadata().max_batch()) {
  const uint32_t slots = engine.metadata().max_batch();
  const auto& buffers = *engine.metadata().buffers();
  for (uint32_t b = 0; b < buffers.size(); ++b) {
    hasStates |= buffers[b]->kind() == fb::BufferKind::state;
    if (buffers[b]->role() != fb::IoRole::block_table)
      continue;
    const KvGroupPlan* group = plan.group(buffers[b]->window());
    if (!group)
      continue; // no pool has its pages
    tables.push_back({b,
                      PageTable({.slots = slots,
                                 .maxPages = engine.maxPages(),
                                 .pageTokens = pageTokens,
                                 .window = buffers[b]->window(),
                                 .slotPages = group->slotPages,
                                 .poolPages = group->pages}),
                      std::vector<bool>(slots, true)});
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
  computed[slot] = end;
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

uint32_t SlotState::continuable(uint32_t slot, uint32_t positions) const {
  if (hasStates && computed[slot] != positions)
    return 0;
  for (uint32_t before = positions + 1; before != positions;) {
    before = positions;
    for (const Group& group : tables) positions = group.table.continuable(slot, positions);
  }
  return hasStates && computed[slot] != positions ? 0 : positions;
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

} // namespace llcuda
