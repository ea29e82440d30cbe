// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/lora_adapter.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>

#include "codegen/formats/dequantize.h"
#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRoot = "base_model.model.";

/// What a tensor of the file is for its module.
enum class Role { kA, kB, kEmbeddingA, kEmbeddingB, kWeight, kBias };

struct Suffix {
  std::string_view text;
  Role role;
};
// The longer ones first. A module that was trained as a whole, or that PEFT wraps, keeps its own weight.
constexpr Suffix kSuffixes[] = {
    {".lora_A.weight", Role::kA},
    {".lora_B.weight", Role::kB},
    {".lora_embedding_A", Role::kEmbeddingA},
    {".lora_embedding_B", Role::kEmbeddingB},
    {".modules_to_save.weight", Role::kWeight},
    {".modules_to_save.bias", Role::kBias},
    {".base_layer.weight", Role::kWeight},
    {".base_layer.bias", Role::kBias},
    {".weight", Role::kWeight},
    {".bias", Role::kBias},
};

using Module = std::map<Role, const SafetensorsTensor*>;

const SafetensorsTensor* partOf(const Module& module, Role role) {
  const auto found = module.find(role);
  return found == module.end() ? nullptr : found->second;
}

std::optional<Error> checkValues(const SafetensorsTensor& tensor) {
  if (!tensor.type->type || !(tensor.is("F32") || tensor.is("F16") || tensor.is("BF16")))
    return unsupported(Quoted{tensor.name}, " is ", tensor.type->name, "; this version reads F32, F16 and BF16");
  const uint64_t valueBytes = tensor.type->bits / 8;
  std::vector<float> values(4096);
  for (uint64_t first = 0, count; first < tensor.elements(); first += count) {
    count = std::min<uint64_t>(values.size(), tensor.elements() - first);
    formats::dequantizeRow(*tensor.type->type, tensor.data.data() + first * valueBytes, count, values.data());
    for (uint64_t i = 0; i < count; ++i)
      if (!std::isfinite(values[i]))
        return badInput(Quoted{tensor.name}, ": the value ", first + i, " is ", values[i],
                        "; the adapter's training diverged, or the file is damaged");
  }
  return std::nullopt;
}

} // namespace

std::vector<float> LoraMatrix::values() const {
  std::vector<float> flat(rows * columns);
  formats::dequantizeRow(*stored->type->type, stored->data.data(), flat.size(), flat.data());
  if (!transposed)
    return flat;
  std::vector<float> turned(flat.size());
  for (uint64_t row = 0; row < rows; ++row)
    for (uint64_t column = 0; column < columns; ++column) turned[row * columns + column] = flat[column * rows + row];
  return turned;
}

bool isAdapterFolder(const std::string& folder) {
  std::error_code ignored;
  return fs::exists(fs::path(folder) / "adapter_config.json", ignored) &&
         !fs::exists(fs::path(folder) / "config.json", ignored);
}

Result<LoraAdapter> LoraAdapter::open(const std::string& folder, const HfNaming& naming) {
  std::error_code ignored;
  if (folder.ends_with(".gguf"))
    return unsupported(folder, ": adapters in GGUF files are not read; give the PEFT folder it was made from");
  if (!fs::is_directory(folder, ignored))
    return badInput(folder, ": is not a folder; an adapter is one with adapter_config.json and "
                            "adapter_model.safetensors");
  LLCUDA_ASSIGN_OR_RETURN(LoraConfig config, readLoraConfig(folder + "/adapter_config.json"));
  if (!fs::exists(folder + "/adapter_model.safetensors", ignored) && fs::exists(folder + "/adapter_model.bin", ignored))
    return unsupported(folder, ": has adapter_model.bin, a pickle, which may run code; save the adapter again with "
                               "safe_serialization=True");
  LLCUDA_ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::open(folder + "/adapter_model.safetensors"));
  LoraAdapter adapter(folder, std::move(config), std::move(file));
  if (auto listed = adapter.list(naming); !listed)
    return makeError(listed.error().code, adapter.file->path(), ": ", listed.error().message);
  return adapter;
}

Result<void> LoraAdapter::list(const HfNaming& naming) {
  std::map<std::string, Module> modules;
  for (const SafetensorsTensor& tensor : file->tensors()) {
    std::string_view name = tensor.name;
    if (!name.starts_with(kRoot))
      return badInput(Quoted{name}, " does not start with ", kRoot, "; the file is not one that PEFT saved");
    name.remove_prefix(kRoot.size());
    const auto* suffix = std::ranges::find_if(kSuffixes, [&](const Suffix& s) { return name.ends_with(s.text); });
    if (suffix == std::end(kSuffixes))
      return unsupported(Quoted{tensor.name}, " is no part of plain LoRA");
    name.remove_suffix(suffix->text.size());
    if (!modules[std::string(name)].emplace(suffix->role, &tensor).second)
      return badInput(Quoted{tensor.name}, " comes twice under two names");
    if (auto error = checkValues(tensor))
      return *std::move(error);
  }
  size_t others = 0;
  for (const auto& [module, parts] : modules) {
    const HfName name = translateHfName(module + ".weight", naming);
    if (name.kind == HfName::Kind::kOtherPart) {
      ++others;
      continue;
    }
    if (name.kind != HfName::Kind::kTensor)
      return unsupported("the adapter changes ", Quoted{module}, ", which this version does not know");
    LLCUDA_RETURN_IF_ERROR(addProduct(module, name.gguf, partOf(parts, Role::kA), partOf(parts, Role::kB), false));
    LLCUDA_RETURN_IF_ERROR(
        addProduct(module, name.gguf, partOf(parts, Role::kEmbeddingA), partOf(parts, Role::kEmbeddingB), true));
    if (const SafetensorsTensor* weight = partOf(parts, Role::kWeight))
      copyList.push_back({name.gguf, weight});
    if (const SafetensorsTensor* bias = partOf(parts, Role::kBias))
      copyList.push_back({translateHfName(module + ".bias", naming).gguf, bias});
  }
  if (others != 0)
    noteList.push_back(path + ": " + std::to_string(others) + " modules that see or hear were left out");
  if (productList.empty() && copyList.empty())
    return badInput("the adapter changes nothing");
  return {};
}

Result<void> LoraAdapter::addProduct(const std::string& module, const std::string& tensor, const SafetensorsTensor* a,
                                     const SafetensorsTensor* b, bool ofEmbedding) {
  if (!a && !b)
    return {};
  if (!a || !b)
    return badInput("the adapter has one of the two matrices of ", Quoted{module}, "; the file is incomplete");
  for (const SafetensorsTensor* matrix : {a, b})
    if (matrix->shape.size() != 2)
      return badInput(Quoted{matrix->name}, " is no matrix");
  const uint64_t rank = settings.rankOf(module);
  if (a->shape[0] != rank || b->shape[1] != rank)
    return badInput(Quoted{module}, ": its matrices have the ranks ", a->shape[0], " and ", b->shape[1],
                    ", adapter_config.json says ", rank);
  // A linear layer's product is B A. That of an embedding, whose rows are tokens, is the transposed one.
  const LoraMatrix matrixA = {a->shape[0], a->shape[1], false, a}, matrixB = {b->shape[0], b->shape[1], false, b};
  const LoraMatrix turnedA = {a->shape[1], a->shape[0], true, a}, turnedB = {b->shape[1], b->shape[0], true, b};
  productList.push_back(
      {tensor, ofEmbedding ? turnedA : matrixB, ofEmbedding ? turnedB : matrixA, settings.scaleOf(module)});
  return {};
}

} // namespace llcuda::ingest
