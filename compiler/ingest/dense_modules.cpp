// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/dense_modules.h"

#include <bit>

#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;

constexpr std::string_view kWeight = "linear.weight", kBias = "linear.bias";
constexpr size_t kFirst = 2; // as GGUF files number them: the module 1 pools

} // namespace

Result<std::unique_ptr<const Checkpoint>> DenseModules::over(std::unique_ptr<const Checkpoint> stored,
                                                             const std::vector<std::string>& folders) {
  if (folders.empty())
    return stored;
  std::unique_ptr<DenseModules> checkpoint(new DenseModules(std::move(stored)));
  std::vector<TensorInfo> tensors(checkpoint->base->tensors().begin(), checkpoint->base->tensors().end());
  for (size_t i = 0; i < folders.size(); ++i) {
    LLCUDA_ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::open(folders[i] + "/model.safetensors"));
    checkpoint->files.push_back(std::make_unique<const SafetensorsFile>(std::move(file)));
    LLCUDA_RETURN_IF_ERROR(checkpoint->add(*checkpoint->files.back(), "dense_" + std::to_string(kFirst + i), tensors));
  }
  checkpoint->setTensors(std::move(tensors));
  return std::unique_ptr<const Checkpoint>(std::move(checkpoint));
}

Result<void> DenseModules::add(const SafetensorsFile& file, const std::string& module,
                               std::vector<TensorInfo>& tensors) {
  if (!file.find(kWeight))
    return badInput(file.path(), ": has no tensor ", kWeight);
  for (const SafetensorsTensor& tensor : file.tensors()) {
    const bool isWeight = tensor.name == kWeight;
    if (!isWeight && tensor.name != kBias)
      return unsupported(file.path(), ": the tensor ", Quoted{tensor.name}, " is no part of a linear");
    const std::optional<TensorType> type = tensor.type->type;
    if (type != TensorType::kF32 && type != TensorType::kF16 && type != TensorType::kBF16)
      return unsupported(file.path(), ": the tensor ", tensor.name, " is ", tensor.type->name,
                         "; F16, BF16 and F32 are supported");
    if (tensor.shape.size() != (isWeight ? 2 : 1))
      return badInput(file.path(), ": the tensor ", tensor.name, " has ", tensor.shape.size(), " dimensions");
    const std::string name = module + (isWeight ? ".weight" : ".bias");
    if (base->find(name))
      return badInput("tensor ", base->title(name), " is in ", file.path(), " too");
    sources.emplace(name, Source{&file, &tensor});
    tensors.push_back({name, *type, {tensor.shape.rbegin(), tensor.shape.rend()}});
  }
  return {};
}

Result<TensorBytes> DenseModules::read(const TensorInfo& tensor) const {
  const auto found = sources.find(tensor.name);
  if (found == sources.end())
    return readStored(tensor);
  const SafetensorsTensor& source = *found->second.tensor;
  if (std::bit_cast<uintptr_t>(source.data.data()) % (source.type->bits / 8) == 0)
    return TensorBytes{tensor.type, source.data};
  auto copy = std::make_shared<std::vector<std::byte>>(source.data.begin(), source.data.end());
  const std::span<const std::byte> bytes = *copy;
  return TensorBytes{tensor.type, bytes, std::move(copy)};
}

std::optional<FilePlace> DenseModules::filePlace(const TensorInfo& tensor) const {
  const auto found = sources.find(tensor.name);
  if (found == sources.end())
    return CheckpointOver::filePlace(tensor);
  const SafetensorsFile& file = *found->second.file;
  return FilePlace{file.path(), static_cast<uint64_t>(found->second.tensor->data.data() - file.bytes().data())};
}

std::string DenseModules::title(std::string_view name) const {
  const auto found = sources.find(std::string(name));
  return found == sources.end() ? base->title(name) : found->second.tensor->name + " of " + found->second.file->path();
}

} // namespace llcuda::ingest
