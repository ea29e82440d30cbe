// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/first_layers.h"

namespace llcuda::ingest {

FirstLayers::FirstLayers(std::unique_ptr<const Checkpoint> whole, uint64_t count) : CheckpointOver(std::move(whole)) {
  std::vector<TensorInfo> kept;
  for (const TensorInfo& tensor : base->tensors())
    if (layerOf(tensor.name).value_or(0) < count)
      kept.push_back(tensor);
  setTensors(std::move(kept));
}

} // namespace llcuda::ingest
