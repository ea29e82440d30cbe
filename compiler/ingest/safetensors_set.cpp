// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/safetensors_set.h"

#include <cassert>
#include <filesystem>
#include <map>

#include <nlohmann/json.hpp>

#include "compiler/ingest/json_text.h"
#include "compiler/ingest/lora_adapter.h"
#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kWhole = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr size_t kMaxFiles = 1024;

bool isFile(const std::string& folder, const char* name) {
  std::error_code ignored;
  return fs::is_regular_file(fs::path(folder) / name, ignored);
}

/// What a folder without safetensors of a model holds instead.
Error noTensors(const std::string& folder) {
  if (isFile(folder, "adapter_model.safetensors") || isFile(folder, "adapter_config.json"))
    return badInput(folder, ": holds an adapter and no model; give the model it was trained on as --base");
  for (const char* pickle : {"pytorch_model.bin", "pytorch_model.bin.index.json"})
    if (isFile(folder, pickle))
      return unsupported(folder, ": holds ", pickle, ", which is not read; save the model as safetensors");
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".gguf")
      return badInput(folder, ": holds no safetensors; give its GGUF file ", entry.path().filename().string(),
                      " itself");
  return badInput(folder, ": holds neither ", kWhole, " nor ", kIndex, "; it is not the folder of a model",
                  adaptersWithin(folder));
}

/// A plain file name: an index may not reach outside of its folder.
bool isPlainName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find_first_of(std::string_view("/\\\0", 3)) == name.npos;
}

bool isFolder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

} // namespace

bool isSafetensors(const std::string& path) {
  return isFolder(path) || path.ends_with(".safetensors");
}

Result<SafetensorsSet> SafetensorsSet::open(const std::string& path) {
  return isFolder(path) ? openFolder(path) : openFile(path);
}

Result<void> SafetensorsSet::add(SafetensorsFile file) {
  for (const SafetensorsTensor& tensor : file.tensors()) {
    if (!index.emplace(tensor.name, &tensor).second)
      return badInput(file.path(), ": tensor ", Quoted{tensor.name}, " is in another file of the model too");
    list.push_back(&tensor);
  }
  files.push_back(std::move(file));
  return {};
}

Result<void> SafetensorsSet::addIndexed(const std::string& indexPath) {
  LLCUDA_ASSIGN_OR_RETURN(const Json json, readJsonFile(indexPath));
  const Json* const map = json.is_object() && json.contains("weight_map") ? &json["weight_map"] : nullptr;
  if (!map || !map->is_object() || map->empty())
    return badInput(indexPath, ": has no weight_map; it is damaged: download it again");
  std::map<std::string, std::vector<std::string>> tensorsOf; // file -> tensors
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string() || !isPlainName(file.get_ref<const std::string&>()))
      return badInput(indexPath, ": places tensor ", Quoted{tensor}, " in ", Quoted{file.dump(-1, ' ', true)},
                      ", which is not the name of a file in its folder");
    tensorsOf[file.get_ref<const std::string&>()].push_back(tensor);
  }
  if (tensorsOf.size() > kMaxFiles)
    return badInput(indexPath, ": names ", tensorsOf.size(), " files, at most ", kMaxFiles);
  for (const auto& [file, tensors] : tensorsOf) {
    if (!isFile(name, file.c_str()))
      return badInput(indexPath, ": names ", Quoted{file}, ", which is missing; download that file too");
    LLCUDA_ASSIGN_OR_RETURN(SafetensorsFile shard, SafetensorsFile::open((fs::path(name) / file).string()));
    for (const std::string& tensor : tensors)
      if (!shard.find(tensor))
        return badInput(shard.path(), ": has no tensor ", Quoted{tensor}, ", which ", kIndex,
                        " places there; the files are of different downloads");
    LLCUDA_RETURN_IF_ERROR(add(std::move(shard)));
  }
  return {};
}

Result<SafetensorsSet> SafetensorsSet::openFolder(const std::string& folder) {
  if (isFile(folder, kWhole)) {
    LLCUDA_ASSIGN_OR_RETURN(SafetensorsSet set, openFile((fs::path(folder) / kWhole).string()));
    set.name = folder;
    return set;
  }
  if (!isFile(folder, kIndex))
    return noTensors(folder);
  SafetensorsSet set;
  set.name = folder;
  LLCUDA_RETURN_IF_ERROR(set.addIndexed((fs::path(folder) / kIndex).string()));
  return set;
}

Result<SafetensorsSet> SafetensorsSet::openFile(const std::string& path) {
  LLCUDA_ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::open(path));
  SafetensorsSet set;
  set.name = path;
  LLCUDA_RETURN_IF_ERROR(set.add(std::move(file)));
  return set;
}

const SafetensorsTensor* SafetensorsSet::find(std::string_view name) const {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : found->second;
}

FilePlace SafetensorsSet::place(const SafetensorsTensor& tensor) const {
  for (const SafetensorsFile& file : files)
    if (const std::byte* first = file.bytes().data();
        tensor.data.data() >= first && tensor.data.data() < first + file.bytes().size())
      return {file.path(), static_cast<uint64_t>(tensor.data.data() - first)};
  assert(false && "a tensor of another set");
  return {};
}

} // namespace llcuda::ingest
