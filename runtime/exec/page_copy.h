// SPDX-License-Identifier: Apache-2.0
// Copies pages of the cache and states of slots between the device and host memory, in stream order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/cuda/stream.h"
#include "runtime/engine/engine.h"
#include "runtime/exec/session_memory.h"
#include "runtime/exec/slot_state.h"

namespace llcuda {

/// The host's side of a page is what the page has in each pool of its group, one after another in the order of buffers;
/// of states what the slot has in each. What it refers to outlives it.
class PageCopier {
public:
  PageCopier(const Engine& engine, const SlotState& state, const SessionMemory& memory, const cuda::Stream& stream);

  /// Bytes of a page of each group, and behind them those of a slot's states, 0 where there are none.
  std::vector<uint64_t> blockBytes() const;

  Result<void> pageOut(std::size_t group, int32_t page, std::span<std::byte> to) const;
  Result<void> pageIn(std::size_t group, int32_t page, std::span<const std::byte> from) const;
  Result<void> statesOut(uint32_t slot, std::span<std::byte> to) const { return out(states, slot, to); }
  Result<void> statesIn(uint32_t slot, std::span<const std::byte> from) const { return in(states, slot, from); }

private:
  /// One buffer's part: item i begins at address + i * bytes.
  struct Part {
    cuda::CUdeviceptr address;
    uint64_t bytes;
  };
  Result<void> out(std::span<const Part> parts, uint64_t item, std::span<std::byte> to) const;
  Result<void> in(std::span<const Part> parts, uint64_t item, std::span<const std::byte> from) const;

  const cuda::Stream& stream;
  std::vector<std::vector<Part>> groups;
  std::vector<Part> states;
};

} // namespace llcuda
