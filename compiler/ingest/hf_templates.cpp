// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/hf_templates.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/ingest/json_text.h"
#include "runtime/base/mapped_file.h"
#include "runtime/text/utf8.h"

namespace llcuda::ingest {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr char kDefaultName[] = "default";
constexpr size_t kMaxTemplate = 1 << 20;

Result<std::string> readTemplateFile(const fs::path& path) {
  LLCUDA_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::open(path.string()));
  if (file.bytes().size() > kMaxTemplate)
    return badInput(path.string(), ": is a template of ", file.bytes().size(), " bytes, at most ", kMaxTemplate);
  std::string text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  if (!text::isUtf8(text))
    return badInput(path.string(), ": is not UTF-8");
  return text;
}

void put(text::TextConfig& config, const std::string& name, std::string source) {
  if (name == kDefaultName)
    config.chatTemplate = std::move(source);
  else
    config.namedTemplates[name] = std::move(source);
}

/// A text, or a list of { "name", "template" }.
Result<void> readValue(const Json& value, const std::string& file, text::TextConfig& config) {
  if (value.is_string()) {
    put(config, kDefaultName, value.get<std::string>());
    return {};
  }
  if (!value.is_array())
    return badInput(file, ": chat_template is neither a text nor a list");
  for (const Json& entry : value) {
    if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string() || !entry.contains("template") ||
        !entry["template"].is_string())
      return badInput(file, ": chat_template is not a list of names and templates");
    put(config, entry["name"].get<std::string>(), entry["template"].get<std::string>());
  }
  return {};
}

/// The files of additional_chat_templates by name, so that the order of the file system does not matter.
std::vector<fs::path> namedFiles(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder / "additional_chat_templates", ignored))
    if (entry.path().extension() == ".jinja")
      files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

} // namespace

Result<void> readHfTemplates(const std::string& folder, const Json& tokenizerConfig, text::TextConfig& config) {
  std::error_code ignored;
  const fs::path path(folder), jinja = path / "chat_template.jinja", json = path / "chat_template.json";
  if (const auto found = tokenizerConfig.find("chat_template"); found != tokenizerConfig.end() && !found->is_null()) {
    LLCUDA_RETURN_IF_ERROR(readValue(*found, (path / "tokenizer_config.json").string(), config));
  } else if (fs::exists(json, ignored)) {
    LLCUDA_ASSIGN_OR_RETURN(const Json value, readJsonFile(json.string()));
    if (value.is_object() && value.contains("chat_template"))
      LLCUDA_RETURN_IF_ERROR(readValue(value["chat_template"], json.string(), config));
  }
  if (fs::exists(jinja, ignored)) {
    LLCUDA_ASSIGN_OR_RETURN(config.chatTemplate, readTemplateFile(jinja));
  }
  for (const fs::path& file : namedFiles(path)) {
    LLCUDA_ASSIGN_OR_RETURN(std::string source, readTemplateFile(file));
    put(config, file.stem().string(), std::move(source));
  }
  return {};
}

Result<void> readHfTemplates(const std::string& folder, text::TextConfig& config) {
  const std::string path = (fs::path(folder) / "tokenizer_config.json").string();
  std::error_code ignored;
  Json tokenizerConfig = Json::object();
  if (fs::exists(path, ignored)) {
    LLCUDA_ASSIGN_OR_RETURN(tokenizerConfig, readJsonFile(path));
    if (!tokenizerConfig.is_object())
      return badInput(path, ": is not a JSON object");
  }
  return readHfTemplates(folder, tokenizerConfig, config);
}

} // namespace llcuda::ingest
