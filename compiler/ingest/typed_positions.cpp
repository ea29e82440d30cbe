// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/typed_positions.h"

#include "codegen/formats/dequantize.h"

namespace llcuda::ingest {
namespace {

constexpr std::string_view kPositions = "position_embd.weight";
constexpr std::string_view kTypes = "token_types.weight";

/// A tensor of rows of so many columns whose elements can be read.
Result<void> checkRows(const Checkpoint& base, std::string_view name, uint64_t columns) {
  const TensorInfo* tensor = base.find(name);
  if (!tensor)
    return badInput("the model has no tensor ", base.title(name));
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(tensor->type);
  const uint64_t rows = tensor->dims.size() == 1 ? 1 : tensor->dims[1];
  if (tensor->dims.size() > 2 || tensor->dims[0] != columns || rows == 0)
    return badInput("tensor ", base.title(name), " has no rows of ", columns);
  if (!formats::canDequantize(tensor->type) || columns % info.blockElements != 0)
    return unsupported("tensor ", base.title(name), " is ", info.name, ", which cannot be read as rows of ", columns);
  return {};
}

} // namespace

Result<std::unique_ptr<const Checkpoint>> TypedPositions::over(std::unique_ptr<const Checkpoint> stored,
                                                               uint64_t columns, uint64_t skipped) {
  const bool hasTypes = stored->find(kTypes) != nullptr;
  if (!hasTypes && skipped == 0)
    return stored;
  LLCUDA_RETURN_IF_ERROR(checkRows(*stored, kPositions, columns));
  if (hasTypes)
    LLCUDA_RETURN_IF_ERROR(checkRows(*stored, kTypes, columns));
  const std::vector<uint64_t> dims = stored->find(kPositions)->dims;
  const uint64_t count = dims.size() == 1 ? 1 : dims[1];
  if (count <= skipped)
    return badInput("tensor ", stored->title(kPositions), " has ", count, " rows, the first ", skipped,
                    " of which are of no position");
  std::unique_ptr<TypedPositions> checkpoint(new TypedPositions(std::move(stored), skipped));
  std::vector<TensorInfo> tensors;
  for (const TensorInfo& tensor : checkpoint->base->tensors())
    if (tensor.name == kPositions)
      tensors.push_back({tensor.name, formats::TensorType::kF32, {columns, count - skipped}});
    else if (tensor.name != kTypes)
      tensors.push_back(tensor);
  checkpoint->setTensors(std::move(tensors));
  return std::unique_ptr<const Checkpoint>(std::move(checkpoint));
}

Result<TensorBytes> TypedPositions::summed(const TensorInfo& tensor) const {
  const uint64_t columns = tensor.dims[0], count = tensor.dims[1];
  LLCUDA_ASSIGN_OR_RETURN(const TensorBytes positions, base->read(*base->find(kPositions)));
  std::vector<float> type(columns);
  if (const TensorInfo* stored = base->find(kTypes)) {
    LLCUDA_ASSIGN_OR_RETURN(const TensorBytes types, base->read(*stored));
    formats::dequantizeRow(types.type, types.bytes.data(), columns, type.data());
  }
  const auto sums = std::make_shared<std::vector<float>>(count * columns);
  const uint64_t rowBytes = positions.bytes.size() / (count + skipped);
  for (uint64_t row = 0; row < count; ++row) {
    float* const to = sums->data() + row * columns;
    formats::dequantizeRow(positions.type, positions.bytes.data() + (row + skipped) * rowBytes, columns, to);
    for (uint64_t c = 0; c < columns; ++c) to[c] += type[c];
  }
  return TensorBytes{tensor.type, std::as_bytes(std::span(*sums)), sums};
}

Result<TensorBytes> TypedPositions::read(const TensorInfo& tensor) const {
  return tensor.name == kPositions ? summed(tensor) : readStored(tensor);
}

std::optional<FilePlace> TypedPositions::filePlace(const TensorInfo& tensor) const {
  return tensor.name == kPositions ? std::nullopt : CheckpointOver::filePlace(tensor);
}

} // namespace llcuda::ingest
