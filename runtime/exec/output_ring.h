// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "codegen/formats/sampling.h"
#include "codegen/formats/token_score.h"
#include "runtime/base/result.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/stream.h"

namespace llcuda {

/// What a step left on the host. Valid until kDepth more steps were queued. What was not asked for is empty.
struct StepOutput {
  std::span<int32_t> sampled;               ///< [outputs]
  std::span<const float> logits;            ///< [outputs][vocabulary]
  std::span<const TokenScore> scores;       ///< [outputs], of what was sampled
  std::span<const TokenScore> promptScores; ///< of the rows of a prompt that were scored, in their order
  std::span<const float> pooled;            ///< [blocks of rows][embedding]: sums of rows
  std::span<const SamplingReport> reports;  ///< [outputs]; also where no slot's sampler has something to report
};

/// The most that a step leaves.
struct OutputSizes {
  uint32_t outputs = 0;    ///< rows that are sampled
  uint32_t rows = 0;       ///< of a prompt
  uint32_t blocks = 0;     ///< of these rows
  uint32_t vocabulary = 0; ///< logits of a row
  uint32_t embedding = 0;  ///< values of a row that is pooled
};

/// Reads back the outputs of steps in order. Some may be on their way: the next step is queued before the last is read.
/// What is asked for seldom takes its memory when it is asked for first.
class OutputRing {
public:
  static constexpr uint32_t kDepth = 4;

  static Result<OutputRing> create(std::shared_ptr<const cuda::Context> context, const OutputSizes& sizes);

  uint32_t waiting() const { return static_cast<uint32_t>(queued - taken); }

  /// An output begins. What is copied until close() is part of it; at most kDepth are waiting.
  void open();
  Result<void> copySampled(const cuda::Stream& stream, uint32_t outputs, cuda::CUdeviceptr from);
  Result<void> copyLogits(const cuda::Stream& stream, uint32_t outputs, cuda::CUdeviceptr from);
  Result<void> copyScores(const cuda::Stream& stream, uint32_t outputs, cuda::CUdeviceptr from);
  Result<void> copyReports(const cuda::Stream& stream, uint32_t outputs, cuda::CUdeviceptr from);
  /// Each call adds to what is there.
  Result<void> copyPromptScores(const cuda::Stream& stream, uint32_t rows, cuda::CUdeviceptr from);
  Result<void> copyPooled(const cuda::Stream& stream, uint32_t blocks, cuda::CUdeviceptr from);
  Result<void> close(const cuda::Stream& stream);

  /// Whether the oldest that waits has arrived.
  Result<bool> hasArrived() const;
  /// The oldest that waits, once it has arrived.
  Result<StepOutput> take();

private:
  /// Values of one kind.
  struct Part {
    cuda::PinnedMemory memory;
    std::size_t used = 0; ///< bytes

    template <typename T>
    std::span<T> values() {
      return {reinterpret_cast<T*>(memory.bytes().data()), used / sizeof(T)};
    }
  };
  struct Entry {
    Part sampled, logits, scores, promptScores, pooled, reports;
    cuda::Event arrived;
  };

  Entry& opened() { return entries[queued % kDepth]; }
  /// Adds `bytes` from the device to a part, which has room for `most` in all.
  Result<void> add(Part& part, const cuda::Stream& stream, std::size_t bytes, std::size_t most, cuda::CUdeviceptr from);

  std::shared_ptr<const cuda::Context> context;
  OutputSizes sizes;
  uint64_t queued = 0, taken = 0;
  std::array<Entry, kDepth> entries;
};

} // namespace llcuda
