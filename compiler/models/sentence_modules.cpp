// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/sentence_modules.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>

#include <nlohmann/json.hpp>

#include "compiler/ingest/json_text.h"
#include "compiler/ingest/message_parts.h"
#include "compiler/models/config_limits.h"

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

/// A Dense module without an activation.
Result<SentenceLinear> linearOf(const Json& config, std::string folder) {
  SentenceLinear linear = {std::move(folder), 0, 0};
  for (const auto& [key, number] :
       {std::pair("in_features", &linear.inputs), std::pair("out_features", &linear.outputs)}) {
    const auto found = config.is_object() ? config.find(key) : config.end();
    if (found == config.end() || !found->is_number_unsigned() || found->get<uint64_t>() == 0 ||
        found->get<uint64_t>() > kMaxWidth)
      return badInput(key, " is no number from 1 to ", kMaxWidth);
    *number = found->get<uint32_t>();
  }
  const std::string activation = textOf(config, "activation_function");
  if (const std::string name = activation.substr(activation.rfind('.') + 1); name != "Identity")
    return unsupported("the activation_function ", Quoted{activation}, " is not supported; Identity is");
  return linear;
}

/// The configuration of a module, with messages that name its file.
template <typename Read>
auto readModule(const fs::path& folder, Read read) -> decltype(read(Json())) {
  const std::string config = (folder / "config.json").string();
  LLCUDA_ASSIGN_OR_RETURN(const Json json, ingest::readJsonFile(config));
  auto result = read(json);
  return result ? std::move(result) : makeError(result.error().code, config, ": ", result.error().message);
}

} // namespace

Result<SentenceModules> readSentenceModules(const std::string& folder) {
  const std::string path = (fs::path(folder) / "modules.json").string();
  SentenceModules result;
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return result;
  LLCUDA_ASSIGN_OR_RETURN(const Json modules, ingest::readJsonFile(path));
  if (!modules.is_array())
    return badInput(path, ": is not a list of modules");
  for (const Json& module : modules) {
    const std::string type = textOf(module, "type"), place = textOf(module, "path");
    const std::string kind = type.substr(type.rfind('.') + 1); // the class, whatever Python module it lies in
    if (kind == "Normalize" || kind == "LogitScore" || (kind == "Transformer" && place.empty()))
      continue; // a LogitScore reads the logits of two tokens, as llcuda-serve --rerank does
    const bool pools = kind == "Pooling" && result.pooling == Pooling::kUnset;
    const bool follows = kind == "Dense" && result.pooling != Pooling::kUnset;
    if (!pools && !follows)
      return unsupported(path, ": the module ", Quoted{type}, " at ", Quoted{place},
                         " is not supported; a Transformer in the folder itself, one Pooling, Dense behind it and "
                         "Normalize are");
    if (!isFolderName(place))
      return badInput(path, ": the path ", Quoted{place}, " of a module is no folder in ", folder);
    const fs::path own = fs::path(folder) / place;
    if (pools) {
      LLCUDA_ASSIGN_OR_RETURN(result.pooling, readModule(own, poolingOf));
    } else {
      LLCUDA_ASSIGN_OR_RETURN(SentenceLinear linear,
                              readModule(own, [&](const Json& json) { return linearOf(json, own.string()); }));
      result.linears.push_back(std::move(linear));
    }
  }
  return result;
}

} // namespace llcuda::models
