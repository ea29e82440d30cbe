// SPDX-License-Identifier: Apache-2.0
// Experts that are tensors of their own, stacked as GGUF files have them: `blk.0.ffn_up.0.weight`,
// `blk.0.ffn_up.1.weight`, ... become `blk.0.ffn_up_exps.weight`, whose last dimension counts experts.
#pragma once

#include <map>

#include "compiler/ingest/checkpoint.h"

namespace llcuda::ingest {

class StackedExperts final : public CheckpointOver {
public:
  /// Experts of a tensor have one shape and type and are numbered from 0 on without a gap; else the one that breaks
  /// this is named.
  static Result<std::unique_ptr<const Checkpoint>> over(std::unique_ptr<const Checkpoint> base);

  /// The bytes of all experts, one after the other.
  Result<TensorBytes> read(const TensorInfo& tensor) const override;
  /// Of a stack the place of nothing, even if it is one expert.
  std::optional<FilePlace> filePlace(const TensorInfo& tensor) const override;
  /// Of a stack that of its first expert.
  std::string title(std::string_view name) const override;

private:
  explicit StackedExperts(std::unique_ptr<const Checkpoint> base) : CheckpointOver(std::move(base)) {}
  Result<void> stack();

  std::map<std::string, std::map<uint64_t, const TensorInfo*>, std::less<>> stacks; ///< by name, then by number
};

} // namespace llcuda::ingest
