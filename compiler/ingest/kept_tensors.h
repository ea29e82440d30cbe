// SPDX-License-Identifier: Apache-2.0
// A model without some of its tensors: blocks that predict further tokens, a head that ranks texts.
#pragma once

#include <functional>
#include <memory>

#include "compiler/ingest/checkpoint.h"

namespace llcuda::ingest {

class KeptTensors final : public CheckpointOver {
public:
  /// The tensors of `base` that `isKept` answers true for.
  KeptTensors(std::unique_ptr<const Checkpoint> base, const std::function<bool(const TensorInfo& tensor)>& isKept);

  Result<TensorBytes> read(const TensorInfo& tensor) const override { return base->read(tensor); }
};

} // namespace llcuda::ingest
