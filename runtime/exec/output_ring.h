// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "runtime/base/result.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/stream.h"

namespace llcuda {

/// What a step left on the host. Valid until kDepth more steps were queued.
struct StepOutput {
  std::span<int32_t> sampled;    ///< [outputs]
  std::span<const float> logits; ///< [outputs][vocabulary]; empty when they were not asked for
};

/// Reads back the outputs of steps in order. Some may be on their way: the next step is queued before the last is read.
class OutputRing {
public:
  static constexpr uint32_t kDepth = 4;

  /// `outputs`: the most that a step has.
  static Result<OutputRing> create(std::shared_ptr<const cuda::Context> context, uint32_t outputs, uint32_t vocabulary);

  uint32_t waiting() const { return static_cast<uint32_t>(queued - taken); }

  /// Copies the outputs of the step that the stream ran last. `logits` 0: not wanted. At most kDepth are waiting.
  Result<void> queue(const cuda::Stream& stream, uint32_t outputs, cuda::CUdeviceptr sampled, cuda::CUdeviceptr logits);
  /// Whether the oldest that waits has arrived.
  Result<bool> hasArrived() const;
  /// The oldest that waits, once it has arrived.
  Result<StepOutput> take();

private:
  struct Entry {
    cuda::PinnedMemory sampled, logits;
    cuda::Event arrived;
    uint32_t outputs = 0;
    bool hasLogits = false;
  };

  std::shared_ptr<const cuda::Context> context;
  uint32_t maxOutputs = 0;
  uint32_t vocabulary = 0;
  uint64_t queued = 0, taken = 0;
  std::array<Entry, kDepth> entries;
};

} // namespace llcuda
