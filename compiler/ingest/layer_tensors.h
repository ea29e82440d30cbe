// SPDX-License-Identifier: Apache-2.0
// Tensors that a formula has for each layer and no file keeps: norms of values, which scale nothing.
#pragma once

#include "compiler/ingest/checkpoint.h"

namespace llcuda::ingest {

/// Answers besides `blk.N.attn_v_norm.weight`, f32 vectors of 1.
class LayerTensors final : public CheckpointOver {
public:
  /// `heads` are the elements of each layer's norm of values; 0: it has none. kBadInput where the model has one itself.
  static Result<std::unique_ptr<LayerTensors>> over(std::unique_ptr<const Checkpoint> base,
                                                    std::span<const uint64_t> heads);

  Result<TensorBytes> read(const TensorInfo& tensor) const override;
  std::optional<FilePlace> filePlace(const TensorInfo& tensor) const override;

private:
  explicit LayerTensors(std::unique_ptr<const Checkpoint> base) : CheckpointOver(std::move(base)) {}
};

} // namespace llcuda::ingest
