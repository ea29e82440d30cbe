// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/padded_checkpoint.h"

#include <cstring>

namespace llcuda::ingest {
namespace {

/// The dimension of `tensor` that counts units; nullptr in one that has none. A tensor `ffn_up` may hold the units of
/// the gate before its own.
uint64_t* unitsOf(TensorInfo& tensor, uint64_t units) {
  const std::string_view name = tensor.name;
  const size_t vector = name.ends_with(".bias") ? 1 : 2;
  if (tensor.dims.size() != vector)
    return nullptr;
  const auto is = [&](std::string_view module) {
    return name.ends_with(std::string(module) + ".weight") || name.ends_with(std::string(module) + ".bias");
  };
  if ((is(".ffn_gate") && tensor.dims.back() == units) ||
      (is(".ffn_up") && (tensor.dims.back() == units || tensor.dims.back() == 2 * units)))
    return &tensor.dims.back();
  return name.ends_with(".ffn_down.weight") && tensor.dims.front() == units ? &tensor.dims.front() : nullptr;
}

} // namespace

PaddedCheckpoint::PaddedCheckpoint(std::unique_ptr<const Checkpoint> stored, const std::vector<uint64_t>& units)
    : CheckpointOver(std::move(stored)) {
  std::vector<TensorInfo> tensors(base->tensors().begin(), base->tensors().end());
  for (TensorInfo& tensor : tensors) {
    const std::optional<uint64_t> layer = layerOf(tensor.name);
    if (!layer || *layer >= units.size() || units[*layer] == paddedUnits(units[*layer]))
      continue;
    const uint64_t own = units[*layer], padded = paddedUnits(own);
    uint64_t* const count = unitsOf(tensor, own);
    if (!count)
      continue;
    // Of a matrix whose rows are units, the bytes of a row; else those of an element.
    const formats::TensorTypeInfo& info = formats::tensorTypeInfo(tensor.type);
    const uint64_t elements = count == &tensor.dims.front() ? 1 : tensor.dims.front();
    if (elements % info.blockElements != 0)
      continue;
    const uint64_t unitBytes = elements / info.blockElements * info.blockBytes;
    runs.emplace(tensor.name, Run{own * unitBytes, padded * unitBytes});
    *count = *count / own * padded;
  }
  setTensors(std::move(tensors));
}

Result<TensorBytes> PaddedCheckpoint::read(const TensorInfo& tensor) const {
  const TensorInfo* stored = base->find(tensor.name);
  if (!stored)
    return internalError("the checkpoint has no tensor ", tensor.name);
  LLCUDA_ASSIGN_OR_RETURN(TensorBytes bytes, base->read(*stored));
  const auto found = runs.find(tensor.name);
  if (found == runs.end())
    return bytes;
  const auto [storedBytes, answeredBytes] = found->second;
  const uint64_t count = bytes.bytes.size() / storedBytes;
  // In every encoding a block of zero bytes has the values 0.
  const auto padded = std::make_shared<std::vector<std::byte>>(count * answeredBytes);
  for (uint64_t i = 0; i < count; ++i)
    std::memcpy(padded->data() + i * answeredBytes, bytes.bytes.data() + i * storedBytes, storedBytes);
  return TensorBytes{bytes.type, *padded, padded};
}

std::optional<FilePlace> PaddedCheckpoint::filePlace(const TensorInfo& tensor) const {
  return runs.contains(tensor.name) ? std::nullopt : CheckpointOver::filePlace(tensor);
}

} // namespace llcuda::ingest
