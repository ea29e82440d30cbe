// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/kept_tensors.h"

namespace llcuda::ingest {

KeptTensors::KeptTensors(std::unique_ptr<const Checkpoint> whole,
                         const std::function<bool(const TensorInfo& tensor)>& isKept)
    : CheckpointOver(std::move(whole)) {
  std::vector<TensorInfo> kept;
  for (const TensorInfo& tensor : base->tensors())
    if (isKept(tensor))
      kept.push_back(tensor);
  setTensors(std::move(kept));
}

} // namespace llcuda::ingest
