// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/half_checkpoint.h"

#include "codegen/formats/numbers.h"
#include "compiler/ingest/bf16_matrix.h"

namespace llcuda::ingest {

using formats::TensorType;

Result<std::unique_ptr<HalfCheckpoint>> HalfCheckpoint::over(std::unique_ptr<const Checkpoint> base) {
  std::unique_ptr<HalfCheckpoint> half(new HalfCheckpoint(std::move(base)));
  std::vector<TensorInfo> tensors(half->base->tensors().begin(), half->base->tensors().end());
  for (TensorInfo& tensor : tensors) {
    if (tensor.type != TensorType::kBF16 || tensor.dims.size() < 2)
      continue;
    LLCUDA_ASSIGN_OR_RETURN(const TensorBytes stored, half->base->read(tensor));
    if (largestBf16(stored.bytes) <= kLargestHalf) { // not NaN
      tensor.type = TensorType::kF16;
      ++half->halved;
    } else {
      half->kept.push_back(tensor.name);
    }
  }
  half->setTensors(std::move(tensors));
  return half;
}

Result<TensorBytes> HalfCheckpoint::read(const TensorInfo& tensor) const {
  const TensorInfo* stored = base->find(tensor.name);
  const TensorInfo* answered = find(tensor.name);
  if (!stored || !answered)
    return internalError("the checkpoint has no tensor ", tensor.name);
  LLCUDA_ASSIGN_OR_RETURN(TensorBytes bytes, base->read(*stored));
  if (answered->type == stored->type)
    return bytes;
  const auto halves = std::make_shared<std::vector<uint16_t>>(bytes.bytes.size() / 2);
  for (size_t i = 0; i < halves->size(); ++i)
    (*halves)[i] = formats::floatToHalf(formats::bf16ToFloat(bf16At(bytes.bytes, i)));
  return TensorBytes{TensorType::kF16, std::as_bytes(std::span(*halves)), halves};
}

} // namespace llcuda::ingest
