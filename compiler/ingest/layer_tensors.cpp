// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/layer_tensors.h"

namespace llcuda::ingest {

Result<std::unique_ptr<LayerTensors>> LayerTensors::over(std::unique_ptr<const Checkpoint> stored,
                                                         std::span<const uint64_t> heads) {
  std::unique_ptr<LayerTensors> checkpoint(new LayerTensors(std::move(stored)));
  const Checkpoint& base = *checkpoint->base;
  std::vector<TensorInfo> tensors(base.tensors().begin(), base.tensors().end());
  for (size_t i = 0; i < heads.size(); ++i) {
    if (heads[i] == 0)
      continue;
    std::string name = "blk." + std::to_string(i) + ".attn_v_norm.weight";
    if (base.find(name))
      return badInput("tensor ", base.title(name), " is not part of the architecture");
    tensors.push_back({std::move(name), formats::TensorType::kF32, {heads[i]}});
  }
  checkpoint->setTensors(std::move(tensors));
  return checkpoint;
}

Result<TensorBytes> LayerTensors::read(const TensorInfo& tensor) const {
  if (const TensorInfo* stored = base->find(tensor.name))
    return base->read(*stored);
  const auto ones = std::make_shared<std::vector<float>>(tensor.dims[0], 1.f);
  return TensorBytes{tensor.type, std::as_bytes(std::span(*ones)), ones};
}

std::optional<FilePlace> LayerTensors::filePlace(const TensorInfo& tensor) const {
  return base->find(tensor.name) ? CheckpointOver::filePlace(tensor) : std::nullopt;
}

} // namespace llcuda::ingest
