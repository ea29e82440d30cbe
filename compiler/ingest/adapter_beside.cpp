// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/adapter_beside.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "compiler/ingest/json_text.h"
#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

namespace fs = std::filesystem;

constexpr char kKey[] = "_llcuda_adapter";

bool staysWithin(const fs::path& path) {
  return !path.empty() && path.is_relative() && std::ranges::find(path, fs::path("..")) == path.end();
}

} // namespace

Result<std::string> adapterBeside(const std::string& folder) {
  const fs::path config = fs::path(folder) / "config.json";
  std::error_code ignored;
  if (!fs::is_regular_file(config, ignored))
    return std::string();
  LLCUDA_ASSIGN_OR_RETURN(const nlohmann::json root, readJsonFile(config.string()));
  if (!root.is_object() || !root.contains(kKey) || root[kKey].is_null())
    return std::string();
  const auto* name = root[kKey].get_ptr<const std::string*>();
  if (!name || !staysWithin(*name))
    return badInput(config.string(), ": ", kKey, " is ", Quoted{name ? *name : root[kKey].dump()},
                    ", not a path within the folder");
  const fs::path adapter = fs::path(folder) / *name;
  if (!fs::is_regular_file(adapter / "adapter_config.json", ignored))
    return badInput(config.string(), ": ", kKey, " is ", Quoted{*name},
                    ", and no adapter lies there; copy the folder as a whole");
  return adapter.string();
}

} // namespace llcuda::ingest
