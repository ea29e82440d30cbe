// SPDX-License-Identifier: Apache-2.0
// A GGUF file as a checkpoint: its tensors are what the file says, in the mapping.
#pragma once

#include "compiler/ingest/checkpoint.h"
#include "compiler/ingest/gguf_reader.h"

namespace llcuda::ingest {

class GgufCheckpoint final : public Checkpoint {
public:
  explicit GgufCheckpoint(GgufFile file);

  Result<TensorBytes> read(const TensorInfo& tensor) const override;

private:
  const GgufFile file;
};

} // namespace llcuda::ingest
