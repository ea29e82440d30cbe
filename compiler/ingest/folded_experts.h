// SPDX-License-Identifier: Apache-2.0
// Experts whose gate and up are one tensor, as GGUF files have them apart. Of `blk.0.`
//
//   ffn_gate_up_exps.weight            rows of gate and up of each expert
//   ffn_gate_up_exps_columns.weight    the same, inputs before outputs
//   ffn_down_exps_columns.weight       inputs before outputs
//   ffn_gate_up_exps.bias, ffn_gate_up_exps_bias.weight, ffn_down_exps_bias.weight
//
// become ffn_gate_exps, ffn_up_exps and ffn_down_exps, `.weight` in the type that they have and `.bias` in f32.
#pragma once

#include <map>

#include "compiler/ingest/checkpoint.h"

namespace llcuda::ingest {

class FoldedExperts final : public CheckpointOver {
public:
  /// Of gate and up, rows of which come `byTurns`, gate first, or all of gate before those of up. One that is not three
  /// dimensions, two of a bias, or whose rows are no pairs, is kBadInput.
  static Result<std::unique_ptr<const Checkpoint>> over(std::unique_ptr<const Checkpoint> base, bool byTurns);

  Result<TensorBytes> read(const TensorInfo& tensor) const override;
  std::optional<FilePlace> filePlace(const TensorInfo& tensor) const override;
  /// Of a part that of the whole.
  std::string title(std::string_view name) const override;

private:
  enum class Part : uint8_t { kGate, kUp, kAll };
  /// Where the rows of a tensor come from.
  struct Source {
    const TensorInfo* stored;
    Part part;
    bool columns; ///< inputs come before outputs
  };

  FoldedExperts(std::unique_ptr<const Checkpoint> base, bool byTurns)
      : CheckpointOver(std::move(base)), byTurns(byTurns) {}
  Result<void> unfold();
  Result<void> addWeights(const TensorInfo& stored, const std::string& layer, bool down, bool columns,
                          std::vector<TensorInfo>& tensors);
  Result<void> addBiases(const TensorInfo& stored, const std::string& layer, bool down,
                         std::vector<TensorInfo>& tensors);
  Result<void> add(TensorInfo made, const Source& source, std::vector<TensorInfo>& tensors);
  /// Row `row` of a part, among those of the whole tensor's.
  uint64_t rowOf(Part part, uint64_t row, uint64_t rows) const;

  const bool byTurns;
  std::map<std::string, Source, std::less<>> sources; ///< by the name of what is answered
};

} // namespace llcuda::ingest
