// SPDX-License-Identifier: Apache-2.0
// Feed-forward units in whole blocks, as kernels read them: those that a model lacks are zeros, which add nothing.
#pragma once

#include <map>

#include "codegen/formats/weight_layout.h"
#include "compiler/ingest/checkpoint.h"

namespace llcuda::ingest {

/// `units` and as many more as make whole blocks.
constexpr uint64_t paddedUnits(uint64_t units) {
  return (units + kWeightBlock - 1) / kWeightBlock * kWeightBlock;
}

/// Answers weights and biases of `ffn_gate` and `ffn_up` with more rows, those of `ffn_down` with more columns. Tensors
/// of other shapes than the units ask for stay.
class PaddedCheckpoint final : public CheckpointOver {
public:
  /// `units[i]`: those of layer i in `base`.
  PaddedCheckpoint(std::unique_ptr<const Checkpoint> base, const std::vector<uint64_t>& units);

  Result<TensorBytes> read(const TensorInfo& tensor) const override;
  std::optional<FilePlace> filePlace(const TensorInfo& tensor) const override;

private:
  /// Bytes of the units that lie together, in the base and here.
  struct Run {
    uint64_t stored, answered;
  };

  std::map<std::string, Run, std::less<>> runs; // by tensor, of those that get more
};

} // namespace llcuda::ingest
