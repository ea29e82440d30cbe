// SPDX-License-Identifier: Apache-2.0
// The first layers of a model, without the blocks behind them that predict further tokens.
#pragma once

#include <memory>

#include "compiler/ingest/checkpoint.h"

namespace llcuda::ingest {

class FirstLayers final : public CheckpointOver {
public:
  /// `base` without the tensors of layers from `count` on.
  FirstLayers(std::unique_ptr<const Checkpoint> base, uint64_t count);

  Result<TensorBytes> read(const TensorInfo& tensor) const override { return base->read(tensor); }
};

} // namespace llcuda::ingest
