// SPDX-License-Identifier: Apache-2.0
// What a slot holds of its sequence, in host memory: for sequences that make room for others and come back.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/stream.h"
#include "runtime/exec/program.h"
#include "runtime/exec/session_memory.h"
#include "runtime/exec/slot_state.h"

namespace llcuda {

/// Pages of every pool and recurrent states. Copies are queued: the object outlives them, isIdle() says when.
class SlotCopy {
public:
  /// Of the first `positions` positions of a slot.
  static Result<SlotCopy> of(const Program& program, const SessionMemory& memory, const SlotState& state,
                             const cuda::Stream& stream, uint32_t slot, uint32_t positions);
  /// Bytes that such a copy takes.
  static uint64_t bytesOf(const Engine& engine, const SlotState& state, uint32_t slot, uint32_t positions);

  /// Puts it into a slot that has these ranges of pages.
  Result<void> restore(const Program& program, const SessionMemory& memory, const SlotState& state,
                       const cuda::Stream& stream, uint32_t slot) const;

  uint32_t positions() const { return count; }
  std::span<const PageRange> ranges() const { return pages; } ///< of each group of the state
  uint64_t bytes() const { return host.bytes().size(); }
  /// Whether all that was queued is done.
  Result<bool> isIdle() const { return done.done(); }

private:
  uint32_t count = 0;
  std::vector<PageRange> pages;
  cuda::PinnedMemory host;
  cuda::Event done;
};

} // namespace llcuda
