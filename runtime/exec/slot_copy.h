// SPDX-License-Identifier: Apache-2.0
// What a slot holds of its sequence, in host memory: for sequences that make room for others and come back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/exec/host_pages.h"
#include "runtime/exec/page_copy.h"
#include "runtime/exec/slot_state.h"

namespace llcuda {

/// Pages of every group and recurrent states, in blocks that it gives back when it goes: the host pages outlive it.
/// Copies are queued; who takes a block of a copy that is gone queues what he does with it behind them.
class SlotCopy {
public:
  /// Of the first `positions` positions of a slot; nothing when there are too few blocks.
  static Result<std::optional<SlotCopy>> of(const PageCopier& copier, HostPages& host, const SlotState& state,
                                            uint32_t slot, uint32_t positions);
  SlotCopy(SlotCopy&& other) noexcept;
  SlotCopy& operator=(SlotCopy&&) = delete;
  ~SlotCopy();

  /// Puts it into a slot that has these ranges of pages.
  Result<void> restore(const PageCopier& copier, const SlotState& state, uint32_t slot) const;

  uint32_t positions() const { return count; }
  std::span<const PageRange> ranges() const { return pages; } ///< of each group of the state
  uint64_t bytes() const;

private:
  explicit SlotCopy(HostPages& host) : host(&host) {}
  Result<bool> take(std::size_t kind);

  HostPages* host;
  uint32_t count = 0;
  std::vector<PageRange> pages;
  std::vector<HostPages::Block> blocks; // of the pages of each group in their order, then of the states
};

} // namespace llcuda
