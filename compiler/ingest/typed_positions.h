// SPDX-License-Identifier: Apache-2.0
// The embeddings of positions of an encoder, together with that of the one type that its tokens have.
#pragma once

#include "compiler/ingest/checkpoint.h"

namespace llcuda::ingest {

/// Answers `position_embd.weight` as f32 rows to which the first row of `token_types.weight` is added, which is then
/// no tensor of its own: the tokens of a text are all of the first type. Its first rows may be of no position.
class TypedPositions final : public CheckpointOver {
public:
  /// The base itself where it has neither types nor rows to skip. kBadInput where one of the tensors is missing or of
  /// other rows than the tokens, kUnsupported where its encoding cannot be read.
  static Result<std::unique_ptr<const Checkpoint>> over(std::unique_ptr<const Checkpoint> base, uint64_t columns,
                                                        uint64_t skipped);

  Result<TensorBytes> read(const TensorInfo& tensor) const override;
  std::optional<FilePlace> filePlace(const TensorInfo& tensor) const override;

private:
  TypedPositions(std::unique_ptr<const Checkpoint> base, uint64_t skipped)
      : CheckpointOver(std::move(base)), skipped(skipped) {}

  Result<TensorBytes> summed(const TensorInfo& tensor) const;

  const uint64_t skipped;
};

} // namespace llcuda::ingest
