// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/checkpoint.h"

#include <charconv>

namespace llcuda::ingest {

std::optional<uint64_t> layerOf(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix))
    return std::nullopt;
  uint64_t layer = 0;
  const char* const begin = name.data() + kPrefix.size();
  return std::from_chars(begin, name.data() + name.size(), layer).ec == std::errc() ? std::optional(layer)
                                                                                    : std::nullopt;
}

const TensorInfo* Checkpoint::find(std::string_view name) const {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : &list[found->second];
}

std::optional<FilePlace> Checkpoint::filePlace(const TensorInfo&) const {
  return std::nullopt;
}

std::optional<FilePlace> CheckpointOver::filePlace(const TensorInfo& tensor) const {
  const TensorInfo* stored = base->find(tensor.name);
  return stored && stored->type == tensor.type ? base->filePlace(*stored) : std::nullopt;
}

Result<TensorBytes> CheckpointOver::readStored(const TensorInfo& tensor) const {
  const TensorInfo* stored = base->find(tensor.name);
  return stored ? base->read(*stored) : internalError("the checkpoint has no tensor ", tensor.name);
}

Error errorOf(const Checkpoint& checkpoint, std::string_view name, const Error& error) {
  return makeError(error.code, "tensor ", checkpoint.title(name), ": ", error.message);
}

void Checkpoint::setTensors(std::vector<TensorInfo> tensors) {
  list = std::move(tensors);
  index.clear();
  for (size_t i = 0; i < list.size(); ++i) index.emplace(list[i].name, i);
}

} // namespace llcuda::ingest
