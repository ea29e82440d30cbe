// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/cuda/stream.h"
#include "runtime/exec/program.h"
#include "runtime/exec/sampler.h"
#include "runtime/exec/session_memory.h"
#include "runtime/exec/staging.h"

namespace llcuda {

/// What the slots of a session have been told about how to sample. All calls are in stream order.
class SlotSamplers {
public:
  /// Of an engine whose sample kernel takes chains; `isThere()` is false for others.
  SlotSamplers(const Engine& engine, uint32_t slots);
  bool isThere() const { return buffers.samplers != kNone; }

  /// Tells a slot, whose sequence is `tokens` so far, how to go on. It has no mask then.
  Result<void> start(const cuda::Stream& stream, const Program& program, const SessionMemory& memory, uint32_t slot,
                     const Sampler& sampler, std::span<const int32_t> tokens, const SamplerState& state);
  /// The tokens of positions `first` and on, which several rows of one step are about to read.
  Result<void> writeHistory(const cuda::Stream& stream, const Program& program, const SessionMemory& memory,
                            uint32_t slot, uint32_t first, std::span<const int32_t> tokens);
  /// The tokens that the slot's next rows may take: bit t % 32 of word t / 32.
  Result<void> writeMask(const cuda::Stream& stream, const Program& program, const SessionMemory& memory, uint32_t slot,
                         std::span<const uint32_t> words);
  Result<void> clearMask(const cuda::Stream& stream, const Program& program, const SessionMemory& memory,
                         uint32_t slot);
  /// Whether somebody wants to read what the slot's rows report.
  bool reports(uint32_t slot) const { return known[slot].reports; }

private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Buffers {
    uint32_t samplers = kNone, history = kNone, biases = kNone, breakers = kNone, masks = kNone;
  } buffers;
  struct Slot {
    bool reports = false, hasMask = false;
    std::shared_ptr<const std::vector<uint32_t>> breakers; // that are on the device
  };

  Result<void> upload(const cuda::Stream& stream, const Program& program, cuda::CUdeviceptr to,
                      std::span<const std::byte> bytes);
  cuda::CUdeviceptr maskOf(const SessionMemory& memory, uint32_t slot) const {
    return memory.address(buffers.masks) + slot * (1 + words) * sizeof(uint32_t);
  }

  uint32_t context = 0;
  std::size_t words = 0; // of a bit for each token
  std::vector<Slot> known;
  std::optional<Staging> staging, maskStaging; // once they are needed
};

} // namespace llcuda
