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
enum class Role { kA, kB, kEmbeddingA, kEmbeddingB, kMagnitude, kProductBias, kTokens, kWeight, kBias, kOriginal };

struct Suffix {
  std::string_view text;
  Role role;
};
// The longer ones first. A module that was trained as a whole, or that PEFT wraps, keeps its own weight.
constexpr Suffix kSuffixes[] = {
    {".lora_A.weight", Role::kA},
    {".lora_B.weight", Role::kB},
    {".lora_B.bias", Role::kProductBias},
    {".lora_embedding_A", Role::kEmbeddingA},
    {".lora_embedding_B", Role::kEmbeddingB},
    {".lora_magnitude_vector", Role::kMagnitude},
    {".token_adapter.trainable_tokens_delta", Role::kTokens},
    {".token_adapter.base_layer.weight", Role::kWeight},
    {".original_module.weight", Role::kOriginal},
    {".original_module.bias", Role::kOriginal},
    {".modules_to_save.weight", Role::kWeight},
    {".modules_to_save.bias", Role::kBias},
    {".base_layer.weight", Role::kWeight},
    {".base_layer.bias", Role::kBias},
    {".weight", Role::kWeight},
    {".bias", Role::kBias},
};

/// PEFT writes a module that was trained as a whole under two names.
bool sameValues(const SafetensorsTensor& a, const SafetensorsTensor& b) {
  return a.type == b.type && a.shape == b.shape && std::ranges::equal(a.data, b.data);
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

struct LoraAdapter::Module {
  std::string path;
  std::map<Role, const SafetensorsTensor*> parts = {};

  const SafetensorsTensor* part(Role role) const {
    const auto found = parts.find(role);
    return found == parts.end() ? nullptr : found->second;
  }
};

bool isAdapterFolder(const std::string& folder) {
  std::error_code ignored;
  const auto holds = [&](const char* name) { return fs::exists(fs::path(folder) / name, ignored); };
  return holds("adapter_config.json") && !holds("model.safetensors") && !holds("model.safetensors.index.json") &&
         !holds("pytorch_model.bin") && !holds("pytorch_model.bin.index.json");
}

std::string adaptersWithin(const std::string& folder) {
  std::error_code ignored;
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored))
    if (fs::exists(entry.path() / "adapter_config.json", ignored))
      names.push_back(entry.path().filename().string() + "/");
  if (names.empty())
    return "";
  std::ranges::sort(names);
  std::string text = names.size() == 1 ? "; an adapter lies in " : "; adapters lie in ";
  for (size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text + (names.size() == 1 ? ": give that folder" : ": give one of these folders");
}

Result<LoraAdapter> LoraAdapter::open(const std::string& folder, const HfNaming& naming) {
  std::error_code ignored;
  if (folder.ends_with(".gguf"))
    return unsupported(folder, ": adapters in GGUF files are not read; give the PEFT folder it was made from");
  if (!fs::is_directory(folder, ignored))
    return badInput(folder, ": is not a folder; an adapter is one with adapter_config.json and "
                            "adapter_model.safetensors");
  if (!fs::exists(folder + "/adapter_config.json", ignored))
    return badInput(folder, ": holds no adapter_config.json; it is not the folder of an adapter",
                    adaptersWithin(folder));
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
      return unsupported(Quoted{tensor.name}, " is no part of LoRA or DoRA");
    if (suffix->role == Role::kOriginal)
      continue;
    name.remove_suffix(suffix->text.size());
    Module& module = modules.try_emplace(std::string(name), std::string(name)).first->second;
    if (const auto [first, added] = module.parts.emplace(suffix->role, &tensor);
        !added && !sameValues(*first->second, tensor))
      return badInput(Quoted{tensor.name}, " comes twice under two names, with other values");
    if (auto error = checkValues(tensor))
      return *std::move(error);
  }
  size_t others = 0;
  for (const auto& [name, module] : modules)
    if (translateHfName(name + ".weight", naming).kind == HfName::Kind::kOtherPart)
      ++others;
    else
      LLCUDA_RETURN_IF_ERROR(add(module, naming));
  if (others != 0)
    noteList.push_back(path + ": " + std::to_string(others) + " modules that see or hear were left out");
  if (productList.empty() && copyList.empty() && tokenList.empty())
    return badInput("the adapter changes nothing");
  return {};
}

Result<void> LoraAdapter::add(const Module& module, const HfNaming& naming) {
  const HfName name = translateHfName(module.path + ".weight", naming);
  if (name.kind != HfName::Kind::kTensor)
    return unsupported("the adapter changes ", Quoted{module.path}, ", which this version does not know");
  const std::string bias = translateHfName(module.path + ".bias", naming).gguf;
  const auto part = [&](Role role) { return module.part(role); };
  LLCUDA_RETURN_IF_ERROR(addProduct(module, name.gguf, part(Role::kA), part(Role::kB), false));
  if (part(Role::kA) || part(Role::kMagnitude))
    LLCUDA_RETURN_IF_ERROR(addMagnitude(module));
  LLCUDA_RETURN_IF_ERROR(addBias(module, bias));
  LLCUDA_RETURN_IF_ERROR(addProduct(module, name.gguf, part(Role::kEmbeddingA), part(Role::kEmbeddingB), true));
  LLCUDA_RETURN_IF_ERROR(addTokens(module, name.gguf));
  if (const SafetensorsTensor* weight = part(Role::kWeight))
    copyList.push_back({name.gguf, weight});
  if (const SafetensorsTensor* whole = part(Role::kBias))
    copyList.push_back({bias, whole});
  return {};
}

Result<void> LoraAdapter::addProduct(const Module& module, const std::string& tensor, const SafetensorsTensor* a,
                                     const SafetensorsTensor* b, bool ofEmbedding) {
  if (!a && !b)
    return {};
  if (!a || !b)
    return badInput("the adapter has one of the two matrices of ", Quoted{module.path}, "; the file is incomplete");
  for (const SafetensorsTensor* matrix : {a, b})
    if (matrix->shape.size() != 2)
      return badInput(Quoted{matrix->name}, " is no matrix");
  const uint64_t rank = settings.rankOf(module.path);
  if (a->shape[0] != rank || b->shape[1] != rank)
    return badInput(Quoted{module.path}, ": its matrices have the ranks ", a->shape[0], " and ", b->shape[1],
                    ", adapter_config.json says ", rank);
  // A linear layer's product is B A. That of an embedding, whose rows are tokens, is the transposed one.
  const LoraMatrix matrixA = {a->shape[0], a->shape[1], false, a}, matrixB = {b->shape[0], b->shape[1], false, b};
  const LoraMatrix turnedA = {a->shape[1], a->shape[0], true, a}, turnedB = {b->shape[1], b->shape[0], true, b};
  productList.push_back(
      {tensor, ofEmbedding ? turnedA : matrixB, ofEmbedding ? turnedB : matrixA, settings.scaleOf(module.path)});
  return {};
}

/// Of the linear whose product is the last of the list.
Result<void> LoraAdapter::addMagnitude(const Module& module) {
  const SafetensorsTensor* magnitude = module.part(Role::kMagnitude);
  if (!magnitude && !settings.hasMagnitudes)
    return {};
  if (!magnitude)
    return badInput(Quoted{module.path}, " has no lora_magnitude_vector, and adapter_config.json says use_dora; the "
                                         "file is incomplete");
  if (!settings.hasMagnitudes)
    return badInput(Quoted{magnitude->name}, " is of DoRA, and adapter_config.json does not say use_dora");
  if (!module.part(Role::kA))
    return unsupported(Quoted{magnitude->name}, " is of no linear; this version reads DoRA of linears");
  if (magnitude->shape != std::vector<uint64_t>{productList.back().left.rows})
    return badInput(Quoted{magnitude->name}, " is no vector of ", productList.back().left.rows, " elements");
  productList.back().magnitude = magnitude;
  return {};
}

Result<void> LoraAdapter::addBias(const Module& module, const std::string& tensor) {
  const SafetensorsTensor* bias = module.part(Role::kProductBias);
  if (!bias)
    return {};
  if (!settings.hasBiases)
    return badInput(Quoted{bias->name}, " is a bias, and adapter_config.json does not say lora_bias");
  const SafetensorsTensor* b = module.part(Role::kB);
  if (!b || bias->shape != std::vector<uint64_t>{b->shape[0]})
    return badInput(Quoted{bias->name}, " is no vector with an element for each row of lora_B");
  biasList.push_back({tensor, bias, settings.scaleOf(module.path)});
  return {};
}

Result<void> LoraAdapter::addTokens(const Module& module, const std::string& tensor) {
  const SafetensorsTensor* rows = module.part(Role::kTokens);
  if (!rows)
    return {};
  const std::vector<uint32_t>* tokens = settings.tokensOf(module.path);
  if (!tokens)
    return badInput(Quoted{rows->name}, ": adapter_config.json names no trainable_token_indices of its module");
  if (rows->shape.size() != 2 || rows->shape[0] != tokens->size())
    return badInput(Quoted{rows->name}, " is no matrix of ", tokens->size(),
                    " rows, one for each of trainable_token_indices");
  if (tokens->empty())
    return {};
  tokenList.push_back({tensor, *tokens, rows});
  return {};
}

} // namespace llcuda::ingest
