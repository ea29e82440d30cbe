// SPDX-License-Identifier: Apache-2.0
// What the slots of a session keep of their sequences: pages of each group of KV pools, and recurrent states.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codegen/formats/row_edits.h"
#include "runtime/base/result.h"
#include "runtime/engine/engine.h"
#include "runtime/exec/memory_plan.h"
#include "runtime/exec/page_table.h"

namespace llcuda {

class SlotState {
public:
  SlotState(const Engine& engine, const MemoryPlan& plan);

  /// A group's table, and what of it the device has been told.
  struct Group {
    int32_t index; ///< of its block table among those of the launch that applies edits
    PageTable table;
    std::vector<int32_t> told; ///< entries, all -1 at first
    std::vector<bool> changed; ///< of each slot: whether entries may differ
  };
  const std::vector<Group>& groups() const { return tables; }
  /// Up to `most` entries that the device has to be told, which then count as told.
  std::vector<PageEdit> takeEdits(std::size_t most);

  /// Makes room for positions `first` ... `end` - 1 of a slot, which are about to be computed: `first` is 0 or
  /// continuable(). All or nothing: kOutOfMemory when too few pages are free.
  Result<void> reserve(uint32_t slot, uint32_t first, uint32_t end);
  /// Forgets the positions of a slot from `positions` on.
  void truncate(uint32_t slot, uint32_t positions);
  /// Gives back the pages that a row at `position` of the slot, and those after it, do not see.
  void forget(uint32_t slot, uint32_t position);
  /// How many of the first `positions` of a slot can be built on: all, or fewer, where a window has lost what the row
  /// at that place sees, where its page has other holders, or where a recurrent state has gone past it by more than a
  /// step of one token.
  uint32_t continuable(uint32_t slot, uint32_t positions) const;
  /// Lets an empty slot begin with as many whole pages of the first `positions` of another as can be built on; how many
  /// positions that are.
  uint32_t share(uint32_t slot, uint32_t from, uint32_t positions);
  /// Gives back the pages of a slot that reserve() would give back.
  void trim(uint32_t slot, uint32_t first, uint32_t end);
  /// What a slot may begin with of one group: its pages `first` and on.
  struct Beginning {
    uint32_t first = 0;
    std::vector<int32_t> pages;
  };
  /// Makes an empty slot a holder of pages that have holders, of each group those that a row at `positions` sees of
  /// what lies before it. Not where sequences have states.
  void begin(uint32_t slot, std::span<const Beginning> given, uint32_t positions);
  /// Whether slots have recurrent states, which no page keeps.
  bool hasState() const { return hasStates; }
  /// For what holds pages beside the slots.
  PagePool& pool(std::size_t group) { return tables[group].table.pool(); }
  /// Gives an empty slot pages of its own, those of `ranges` in the order of groups(), for a sequence of which
  /// `positions` positions are about to be put there. All or nothing: kOutOfMemory when too few pages are free.
  Result<void> take(uint32_t slot, std::span<const PageRange> ranges, uint32_t positions);
  /// Whether the states of a slot have to be made zero before position `first` is computed.
  bool beginsState(uint32_t first) const { return hasStates && first == 0; }

private:
  uint32_t pageTokens;
  bool hasStates = false;
  std::vector<Group> tables;
  /// Positions that the states of a slot have seen, and those that they had seen a token before, which is kept beside
  /// it: kNone where they went on by more.
  struct Seen {
    static constexpr uint32_t kNone = UINT32_MAX;
    uint32_t now = 0, before = kNone;
  };
  std::vector<Seen> seen; // of each slot
};

} // namespace llcuda
