// SPDX-License-Identifier: Apache-2.0
// A checkpoint whose 16-bit and 32-bit weights are quantised as they are read.
#pragma once

#include "compiler/ingest/checkpoint.h"
#include "compiler/ingest/quantization.h"

namespace llcuda::ingest {

class QuantizedCheckpoint final : public CheckpointOver {
public:
  /// Over `base`, a model of `layers` layers. Tensors that would have to be quantised twice are refused here.
  static Result<std::unique_ptr<QuantizedCheckpoint>> create(std::unique_ptr<const Checkpoint> base, uint64_t layers,
                                                             const QuantizeOptions& options, unsigned threads);

  Result<TensorBytes> read(const TensorInfo& tensor) const override;
  /// What was done, a sentence each, for the user.
  const std::vector<std::string>& notes() const { return noteList; }

private:
  QuantizedCheckpoint(std::unique_ptr<const Checkpoint> base, unsigned threads)
      : CheckpointOver(std::move(base)), threads(threads) {}
  void describe(std::string_view head, const QuantizeOptions& options);

  const unsigned threads;
  std::vector<std::string> noteList;
};

/// The tensor that makes the logits: `output.weight`, or the embeddings when the model ties them.
std::string_view headName(const Checkpoint& checkpoint);

/// "the head is f16, 525.3 MiB: --head q8_0 would save 246.2 MiB"; empty when there is nothing to gain.
std::string headAdvice(const Checkpoint& checkpoint);

} // namespace llcuda::ingest
