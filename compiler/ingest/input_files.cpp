// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/input_files.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "compiler/ingest/adapter_beside.h"
#include "compiler/ingest/lora_adapter.h"
#include "compiler/ingest/split_name.h"

namespace llcuda::ingest {
namespace {

namespace fs = std::filesystem;

/// Besides these every safetensors file and every template.
constexpr std::string_view kNames[] = {
    "adapter_config.json",    "added_tokens.json", "chat_template.json",           "config.json",
    "generation_config.json", "merges.txt",        "model.safetensors.index.json", "special_tokens_map.json",
    "tokenizer.json",         "tokenizer.model",   "tokenizer_config.json",        "vocab.json",
};

bool isRead(const fs::path& file) {
  return file.extension() == ".safetensors" || file.extension() == ".jinja" ||
         std::ranges::find(kNames, file.filename().string()) != std::end(kNames);
}

void addFolder(const fs::path& folder, std::vector<std::string>& files) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored))
    if (entry.is_regular_file(ignored) && isRead(entry.path()))
      files.push_back(entry.path().string());
}

void addParts(const std::string& path, std::vector<std::string>& files) {
  const std::optional<SplitName> name = splitName(path);
  if (!name) {
    files.push_back(path);
    return;
  }
  std::error_code ignored;
  for (uint64_t number = 0; number < name->count; ++number)
    if (std::string part = partName(*name, number); fs::exists(part, ignored))
      files.push_back(std::move(part));
}

} // namespace

std::vector<std::string> inputFiles(const std::string& path) {
  std::vector<std::string> files;
  std::error_code ignored;
  const bool isFolder = fs::is_directory(path, ignored);
  if (!isFolder && !path.ends_with(".safetensors")) {
    addParts(path, files);
    return files;
  }
  const fs::path parent = fs::path(path).parent_path();
  const fs::path folder = isFolder ? fs::path(path) : parent.empty() ? fs::path(".") : parent;
  addFolder(folder, files);
  addFolder(folder / "additional_chat_templates", files);
  if (isAdapterFolder(folder.string()))
    if (const auto config = readLoraConfig((folder / "adapter_config.json").string());
        config && fs::exists(config->baseModel, ignored) && !isAdapterFolder(config->baseModel)) {
      const std::vector<std::string> base = inputFiles(config->baseModel);
      files.insert(files.end(), base.begin(), base.end());
    }
  if (const auto adapter = adapterBeside(folder.string()); adapter && !adapter->empty())
    addFolder(*adapter, files);
  std::ranges::sort(files);
  return files;
}

} // namespace llcuda::ingest
