// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/checkpoint.h"

namespace llcuda::ingest {

const TensorInfo* Checkpoint::find(std::string_view name) const {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : &list[found->second];
}

std::optional<FilePlace> Checkpoint::filePlace(const TensorInfo&) const {
  return std::nullopt;
}

void Checkpoint::setTensors(std::vector<TensorInfo> tensors) {
  list = std::move(tensors);
  index.clear();
  for (size_t i = 0; i < list.size(); ++i) index.emplace(list[i].name, i);
}

} // namespace llcuda::ingest
