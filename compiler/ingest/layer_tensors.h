// SPDX-License-Identifier: Apache-2.0
// Tensors that a formula has for each layer and files keep otherwise: the layers' own embeddings, whose columns lie
// side by side in one table, and norms that scale nothing.
#pragma once

#include "compiler/ingest/checkpoint.h"

namespace llcuda::ingest {

struct LayerTensorSizes {
  uint64_t embedding = 0;      ///< columns of each layer's own embedding; 0: there are none
  std::vector<uint64_t> heads; ///< of each layer: elements of the norm of its values; 0: it has none
};

/// Answers `blk.N.layer_token_embd.weight` in place of `per_layer_token_embd.weight`, and besides
/// `blk.N.attn_v_norm.weight`, f32 vectors of 1. A layer's columns are copied at each read.
class LayerTensors final : public CheckpointOver {
public:
  /// kBadInput where the table is missing or has other columns than the layers ask for; kUnsupported where a block of
  /// its encoding holds numbers of two layers.
  static Result<std::unique_ptr<LayerTensors>> over(std::unique_ptr<const Checkpoint> base,
                                                    const LayerTensorSizes& sizes);

  Result<TensorBytes> read(const TensorInfo& tensor) const override;
  std::optional<FilePlace> filePlace(const TensorInfo& tensor) const override;
  std::string title(std::string_view name) const override;

private:
  explicit LayerTensors(std::unique_ptr<const Checkpoint> base) : CheckpointOver(std::move(base)) {}

  Result<TensorBytes> columnsOf(const TensorInfo& tensor) const;
};

} // namespace llcuda::ingest
