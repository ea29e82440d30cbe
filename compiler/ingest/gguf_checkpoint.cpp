// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/gguf_checkpoint.h"

namespace llcuda::ingest {

GgufCheckpoint::GgufCheckpoint(GgufFile opened) : file(std::move(opened)) {
  std::vector<TensorInfo> tensors;
  for (const GgufTensor& tensor : file.tensors())
    tensors.push_back({std::string(tensor.name), tensor.type, tensor.dims});
  setTensors(std::move(tensors));
}

Result<TensorBytes> GgufCheckpoint::read(const TensorInfo& tensor) const {
  const GgufTensor* stored = file.findTensor(tensor.name);
  if (!stored)
    return internalError("the file has no tensor ", tensor.name);
  return TensorBytes{stored->type, stored->data};
}

} // namespace llcuda::ingest
