// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/layer_tensors.h"

#include <cstring>

namespace llcuda::ingest {
namespace {

constexpr std::string_view kTable = "per_layer_token_embd.weight";
constexpr std::string_view kColumns = ".layer_token_embd.weight";
constexpr std::string_view kValueNorm = ".attn_v_norm.weight";

std::string nameOf(size_t layer, std::string_view tensor) {
  return "blk." + std::to_string(layer) + std::string(tensor);
}

uint64_t bytesOf(formats::TensorType type, uint64_t elements) {
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(type);
  return elements / info.blockElements * info.blockBytes;
}

Result<void> checkTable(const Checkpoint& base, uint64_t columns, uint64_t layers) {
  const TensorInfo* table = base.find(kTable);
  if (!table)
    return badInput("the model has no tensor ", base.title(kTable));
  if (table->dims.size() != 2 || table->dims[0] / layers != columns || table->dims[0] % layers != 0)
    return badInput("tensor ", base.title(kTable), " has rows of ", table->dims[0], ", not of ", columns,
                    " for each of ", layers, " layers");
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(table->type);
  if (columns % info.blockElements != 0)
    return unsupported("tensor ", base.title(kTable), " is ", info.name, ", whose blocks of ", info.blockElements,
                       " hold numbers of two layers of ", columns, "; convert the model with another type for it");
  return {};
}

} // namespace

Result<std::unique_ptr<LayerTensors>> LayerTensors::over(std::unique_ptr<const Checkpoint> stored,
                                                         const LayerTensorSizes& sizes) {
  const size_t layers = sizes.heads.size();
  if (sizes.embedding != 0)
    LLCUDA_RETURN_IF_ERROR(checkTable(*stored, sizes.embedding, layers));
  std::unique_ptr<LayerTensors> checkpoint(new LayerTensors(std::move(stored)));
  const Checkpoint& base = *checkpoint->base;
  std::vector<TensorInfo> tensors;
  for (const TensorInfo& tensor : base.tensors())
    if (sizes.embedding == 0 || tensor.name != kTable)
      tensors.push_back(tensor);
  for (size_t i = 0; i < layers; ++i) {
    if (sizes.embedding != 0) {
      const TensorInfo& table = *base.find(kTable);
      tensors.push_back({nameOf(i, kColumns), table.type, {sizes.embedding, table.dims[1]}});
    }
    if (sizes.heads[i] != 0)
      tensors.push_back({nameOf(i, kValueNorm), formats::TensorType::kF32, {sizes.heads[i]}});
  }
  for (const TensorInfo& tensor : tensors)
    if (const bool made = tensor.name.ends_with(kColumns) || tensor.name.ends_with(kValueNorm);
        made && base.find(tensor.name))
      return badInput("tensor ", base.title(tensor.name), " is not part of the architecture");
  checkpoint->setTensors(std::move(tensors));
  return checkpoint;
}

Result<TensorBytes> LayerTensors::columnsOf(const TensorInfo& tensor) const {
  const TensorInfo& table = *base->find(kTable);
  LLCUDA_ASSIGN_OR_RETURN(const TensorBytes whole, base->read(table));
  const uint64_t rowBytes = bytesOf(table.type, table.dims[0]), width = bytesOf(table.type, tensor.dims[0]);
  const auto bytes = std::make_shared<std::vector<std::byte>>(table.dims[1] * width);
  const std::byte* from = whole.bytes.data() + *layerOf(tensor.name) * width;
  for (uint64_t row = 0; row < table.dims[1]; ++row)
    std::memcpy(bytes->data() + row * width, from + row * rowBytes, width);
  return TensorBytes{whole.type, *bytes, bytes};
}

Result<TensorBytes> LayerTensors::read(const TensorInfo& tensor) const {
  if (const TensorInfo* stored = base->find(tensor.name))
    return base->read(*stored);
  if (tensor.name.ends_with(kColumns))
    return columnsOf(tensor);
  const auto ones = std::make_shared<std::vector<float>>(tensor.dims[0], 1.f);
  return TensorBytes{tensor.type, std::as_bytes(std::span(*ones)), ones};
}

std::optional<FilePlace> LayerTensors::filePlace(const TensorInfo& tensor) const {
  return base->find(tensor.name) ? CheckpointOver::filePlace(tensor) : std::nullopt;
}

std::string LayerTensors::title(std::string_view name) const {
  return base->title(name.ends_with(kColumns) ? kTable : name);
}

} // namespace llcuda::ingest
