// SPDX-License-Identifier: Apache-2.0
// bf16 matrices as f16, for which there are kernels; vectors become f32 anyway.
#pragma once

#include "compiler/ingest/checkpoint.h"

namespace llcuda::ingest {

/// Answers each bf16 matrix of another checkpoint as f16 if f16 can hold all of its values: none is infinite, NaN or
/// rounds to infinity. Then only values below 2^-14 lose bits. The others stay bf16, which weights keep as f32.
class HalfCheckpoint final : public CheckpointOver {
public:
  /// Reads every bf16 matrix once.
  static Result<std::unique_ptr<HalfCheckpoint>> over(std::unique_ptr<const Checkpoint> base);

  uint64_t halvedMatrices() const { return halved; }
  /// Names of those that stay bf16.
  std::span<const std::string> keptMatrices() const { return kept; }

  Result<TensorBytes> read(const TensorInfo& tensor) const override;

private:
  explicit HalfCheckpoint(std::unique_ptr<const Checkpoint> base) : CheckpointOver(std::move(base)) {}

  uint64_t halved = 0;
  std::vector<std::string> kept;
};

} // namespace llcuda::ingest
