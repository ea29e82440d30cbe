// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/sentence_modules.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>

#include <nlohmann/json.hpp>

#include "compiler/ingest/json_text.h"
#include "compiler/ingest/message_parts.h"

namespace llcuda::models {
namespace {

namespace fs = std::filesystem;
using ingest::Quoted;
using Json = nlohmann::json;

struct Mode {
  std::string_view flag; ///< of files that have a flag for each mode
  std::string_view name; ///< of files that name the mode
  Pooling pooling;
};
constexpr Mode kModes[] = {{"pooling_mode_cls_token", "cls", Pooling::kCls},
                           {"pooling_mode_mean_tokens", "mean", Pooling::kMean},
                           {"pooling_mode_lasttoken", "lasttoken", Pooling::kLast}};
constexpr std::string_view kFlags = "pooling_mode_";

/// A member that is a text; an empty one otherwise.
std::string textOf(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// A module's path is a folder within the model's.
bool isFolderName(std::string_view path) {
  return !path.empty() && path.find_first_of("/\\") == std::string_view::npos && path != "." && path != "..";
}

/// The modes that a file asks for, as it writes them.
Result<std::vector<std::string>> modesOf(const Json& config) {
  std::vector<std::string> modes;
  for (const auto& [key, value] : config.items())
    if (key.starts_with(kFlags) && value == true)
      modes.push_back(key);
  const auto named = config.find("pooling_mode");
  if (named == config.end())
    return modes;
  for (const Json& mode : named->is_array() ? *named : Json::array({*named})) {
    if (!mode.is_string())
      return badInput("pooling_mode is neither a name nor a list of names");
    modes.push_back(mode.get<std::string>());
  }
  return modes;
}

Result<Pooling> poolingOf(const Json& config) {
  if (!config.is_object())
    return badInput("is not a JSON object");
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<std::string> modes, modesOf(config));
  if (modes.empty())
    return badInput("names no pooling_mode");
  if (modes.size() > 1)
    return unsupported("pools by ", Quoted{modes[0]}, " and ", Quoted{modes[1]}, " together; one of them is supported");
  const auto known = std::ranges::find_if(
      kModes, [&](const Mode& mode) { return modes.front() == mode.flag || modes.front() == mode.name; });
  if (known == std::end(kModes))
    return unsupported("pools by ", Quoted{modes.front()}, "; mean, cls and lasttoken are supported");
  return known->pooling;
}

} // namespace

Result<Pooling> readSentencePooling(const std::string& folder) {
  const std::string path = (fs::path(folder) / "modules.json").string();
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return Pooling::kUnset;
  LLCUDA_ASSIGN_OR_RETURN(const Json modules, ingest::readJsonFile(path));
  if (!modules.is_array())
    return badInput(path, ": is not a list of modules");
  Pooling pooling = Pooling::kUnset;
  for (const Json& module : modules) {
    const std::string type = textOf(module, "type"), place = textOf(module, "path");
    const std::string kind = type.substr(type.rfind('.') + 1); // the class, whatever Python module it lies in
    if (kind == "Normalize" || kind == "LogitScore" || (kind == "Transformer" && place.empty()))
      continue; // a LogitScore reads the logits of two tokens, as llcuda-serve --rerank does
    if (kind != "Pooling" || pooling != Pooling::kUnset)
      return unsupported(path, ": the module ", Quoted{type}, " at ", Quoted{place},
                         " is not supported; a Transformer in the folder itself, one Pooling and Normalize are");
    if (!isFolderName(place))
      return badInput(path, ": the path ", Quoted{place}, " of a module is no folder in ", folder);
    const std::string config = (fs::path(folder) / place / "config.json").string();
    LLCUDA_ASSIGN_OR_RETURN(const Json json, ingest::readJsonFile(config));
    const Result<Pooling> read = poolingOf(json);
    if (!read)
      return makeError(read.error().code, config, ": ", read.error().message);
    pooling = *read;
  }
  return pooling;
}

} // namespace llcuda::models
