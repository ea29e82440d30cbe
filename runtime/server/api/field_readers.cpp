// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/field_readers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "runtime/server/api/sampler_stages.h"

namespace llcuda::server::readers {
namespace {

FieldFault fault(std::string sentence) {
  return {{}, std::move(sentence)};
}

FieldFault faultAt(std::string at, std::string sentence) {
  return {std::move(at), std::move(sentence)};
}

std::string at(std::size_t index) {
  return "[" + std::to_string(index) + "]";
}

/// Strings of a list, or the one that stands in the place of a list.
std::optional<FieldFault> strings(const Json& value, std::size_t most, std::size_t mostBytes,
                                  std::vector<std::string>& result) {
  const Json list = value.is_string() ? Json::array({value}) : value;
  const std::string what = "expected a string or a list of up to " + std::to_string(most) + " strings";
  if (!list.is_array() || list.size() > most)
    return fault(what);
  result.clear();
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_string())
      return faultAt(at(i), "expected a string");
    const auto& text = list[i].get_ref<const std::string&>();
    if (text.empty() && value.is_string())
      return std::nullopt; // none
    if (text.empty() || text.size() > mostBytes)
      return faultAt(at(i), "expected 1 to " + std::to_string(mostBytes) + " bytes");
    result.push_back(text);
  }
  return std::nullopt;
}

/// A token id in the text of an object's key; nothing where it is none.
std::optional<int64_t> idIn(const std::string& key) {
  int64_t id = 0;
  const auto [end, status] = std::from_chars(key.data(), key.data() + key.size(), id);
  return status == std::errc() && end == key.data() + key.size() && !key.empty() ? std::optional(id) : std::nullopt;
}

std::optional<FieldFault> addBias(Params& params, const std::string& place, LogitBias entry, const Json& value,
                                  const FieldLimits& limits) {
  if (entry.text.empty() && (entry.token < 0 || entry.token >= limits.vocabulary))
    return faultAt(place, "token " + std::to_string(entry.token) + " is not in the vocabulary, whose ids are 0 to " +
                              std::to_string(static_cast<int64_t>(limits.vocabulary) - 1));
  if (value.is_boolean() && !value.get<bool>())
    entry.forbids = true;
  else if (value.is_number() && std::abs(value.get<double>()) <= 100)
    entry.bias = value.get<double>();
  else
    return faultAt(place, "expected a number from -100 to 100, or false: never this token");
  params.logitBias.push_back(std::move(entry));
  return std::nullopt;
}

bool isObjectOfType(const Json& value, std::string_view type) {
  return value.is_object() && value.contains("type") && value["type"] == type;
}

/// A function's name.
bool isName(const Json& value) {
  if (!value.is_string())
    return false;
  const auto& name = value.get_ref<const std::string&>();
  return !name.empty() && name.size() <= 64 &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '.' || c == '-'; });
}

constexpr std::string_view kName = "expected 1 to 64 letters, digits, '_', '.' or '-'";

bool isSchema(const Json& value) {
  return value.is_object() || value.is_boolean();
}

/// Null counts as left out.
bool has(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && !found->is_null();
}

} // namespace

std::optional<FieldFault> seed(Params& params, const Json& value, const FieldLimits&) {
  constexpr uint64_t kRandom = 0xffffffff; // llama-server's LLAMA_DEFAULT_SEED, which its clients send back
  if (!value.is_number_integer())
    return fault("expected a whole number up to 18446744073709551615; a negative one is random");
  const bool isRandom = value.is_number_unsigned() ? value.get<uint64_t>() == kRandom : value.get<int64_t>() < 0;
  params.seed = isRandom ? std::nullopt : std::optional(value.get<uint64_t>());
  return std::nullopt;
}

std::optional<FieldFault> stop(Params& params, const Json& value, const FieldLimits&) {
  return strings(value, 16, 256, params.stop);
}

std::optional<FieldFault> samplers(Params& params, const Json& value, const FieldLimits&) {
  std::string letters;
  if (value.is_string()) {
    letters = value.get<std::string>();
    for (const char letter : letters)
      if (!stageOfLetter(letter))
        return fault("'" + std::string(1, letter) + "' is no letter of a stage; there are " + stageLetters());
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const SamplerStage* stage = value[i].is_string() ? stageNamed(value[i].get<std::string>()) : nullptr;
      if (!stage)
        return faultAt(at(i), "expected the name of a stage; there are " + stageNames());
      letters += stage->letter;
    }
  } else {
    return fault("expected a list of names or a string of letters");
  }
  if (letters.size() > kMostStages)
    return fault("expected up to " + std::to_string(kMostStages) + " stages");
  params.samplers = letters;
  return std::nullopt;
}

std::optional<FieldFault> dryBreakers(Params& params, const Json& value, const FieldLimits&) {
  return value.is_array() ? strings(value, 64, 256, params.drySequenceBreakers) : fault("expected a list of strings");
}

std::optional<FieldFault> logitBias(Params& params, const Json& value, const FieldLimits& limits) {
  constexpr std::size_t kMost = 1024;
  if (!value.is_object() && !value.is_array())
    return fault("expected an object {\"token id\": bias} or a list of pairs [token id or text, bias or false]");
  if (value.size() > kMost)
    return fault("expected up to " + std::to_string(kMost) + " entries");
  params.logitBias.clear();
  if (value.is_object()) {
    for (const auto& [key, bias] : value.items()) {
      const std::optional<int64_t> id = idIn(key);
      if (auto found = addBias(params, "." + key, id ? LogitBias{.token = *id} : LogitBias{.text = key}, bias, limits))
        return found;
    }
    return std::nullopt;
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    const Json& pair = value[i];
    const bool fits = pair.is_array() && pair.size() == 2 && (pair[0].is_number_integer() || pair[0].is_string());
    if (!fits)
      return faultAt(at(i), "expected a pair [token id or text, bias or false]");
    const LogitBias entry = pair[0].is_string() ? LogitBias{.text = pair[0].get<std::string>()}
                                                : LogitBias{.token = pair[0].get<int64_t>()};
    if (auto found = addBias(params, at(i), entry, pair[1], limits))
      return found;
  }
  return std::nullopt;
}

std::optional<FieldFault> streamOptions(Params& params, const Json& value, const FieldLimits&) {
  if (!value.is_object())
    return fault("expected an object");
  for (const char* name : {"include_usage", "include_obfuscation"})
    if (has(value, name) && !value[name].is_boolean())
      return faultAt("." + std::string(name), "expected true or false");
  params.includeUsage = value.value("include_usage", Json()) == true;
  return std::nullopt;
}

std::optional<FieldFault> legacyLogprobs(Params& params, const Json& value, const FieldLimits&) {
  if (value.is_boolean()) { // some clients send the chat's form
    params.legacyLogprobs = value.get<bool>() ? 0 : -1;
    return std::nullopt;
  }
  if (!value.is_number_integer() || value.get<double>() < 0 || value.get<double>() > 20)
    return fault("expected a whole number from 0 to 20");
  params.legacyLogprobs = value.get<int64_t>();
  return std::nullopt;
}

std::optional<FieldFault> responseFields(Params& params, const Json& value, const FieldLimits&) {
  return value.is_array() ? strings(value, 64, 256, params.responseFields) : fault("expected a list of names");
}

std::optional<FieldFault> model(Params& params, const Json& value, const FieldLimits&) {
  if (!value.is_string())
    return fault("expected a string");
  params.model = value.get<std::string>();
  return std::nullopt;
}

std::optional<FieldFault> messages(Params& params, const Json& value, const FieldLimits&) {
  constexpr std::size_t kMost = 4096;
  if (!value.is_array() || value.empty() || value.size() > kMost)
    return fault("expected a list of 1 to " + std::to_string(kMost) + " messages");
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!value[i].is_object())
      return faultAt(at(i), "expected an object with role and content");
    if (!has(value[i], "role") || !value[i]["role"].is_string())
      return faultAt(at(i) + ".role", "expected system, developer, user, assistant or tool");
  }
  params.messages = value;
  return std::nullopt;
}

std::optional<FieldFault> tools(Params& params, const Json& value, const FieldLimits&) {
  constexpr std::size_t kMost = 128;
  if (!value.is_array() || value.size() > kMost)
    return fault("expected a list of up to " + std::to_string(kMost) + " tools");
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!isObjectOfType(value[i], "function"))
      return faultAt(at(i) + ".type", "expected \"function\", the only type of tool that there is");
    const Json function = value[i].value("function", Json());
    if (!function.is_object())
      return faultAt(at(i) + ".function", "expected an object with name, description and parameters");
    if (!isName(function.value("name", Json())))
      return faultAt(at(i) + ".function.name", std::string(kName));
    if (has(function, "description") && !function["description"].is_string())
      return faultAt(at(i) + ".function.description", "expected a string");
    if (has(function, "parameters") && !function["parameters"].is_object())
      return faultAt(at(i) + ".function.parameters", "expected a JSON schema, an object");
    if (has(function, "strict") && !function["strict"].is_boolean())
      return faultAt(at(i) + ".function.strict", "expected true or false");
  }
  params.tools = value;
  return std::nullopt;
}

std::optional<FieldFault> toolChoice(Params& params, const Json& value, const FieldLimits&) {
  constexpr std::array<std::string_view, 3> kModes = {"none", "auto", "required"};
  const bool isMode = value.is_string() && std::ranges::find(kModes, value.get<std::string>()) != kModes.end();
  if (!isMode && !isObjectOfType(value, "function") && !isObjectOfType(value, "allowed_tools"))
    return fault("expected none, auto, required, or an object of the type function or allowed_tools");
  if (isObjectOfType(value, "function")) {
    const Json function = value.value("function", Json());
    if (!function.is_object() || !isName(function.value("name", Json())))
      return faultAt(".function.name", std::string(kName));
  }
  params.toolChoice = value;
  return std::nullopt;
}

std::optional<FieldFault> responseFormat(Params& params, const Json& value, const FieldLimits&) {
  if (!value.is_object())
    return fault("expected an object with a type");
  const Json type = value.value("type", Json());
  if (type == "json_object") {
    if (has(value, "schema") && !isSchema(value["schema"]))
      return faultAt(".schema", "expected a JSON schema, an object");
  } else if (type == "json_schema") {
    const Json format = value.value("json_schema", Json());
    if (!format.is_object())
      return faultAt(".json_schema", "expected an object with a schema");
    if (has(format, "schema") && !isSchema(format["schema"]))
      return faultAt(".json_schema.schema", "expected a JSON schema, an object");
    if (has(format, "strict") && !format["strict"].is_boolean())
      return faultAt(".json_schema.strict", "expected true or false");
  } else if (type != "text") {
    return faultAt(".type", "expected text, json_object or json_schema");
  }
  params.responseFormat = value;
  return std::nullopt;
}

std::optional<FieldFault> encodingFormat(Params& params, const Json& value, const FieldLimits&) {
  if (value != "float" && value != "base64")
    return fault("expected float or base64");
  params.base64 = value == "base64";
  return std::nullopt;
}

std::optional<FieldFault> documents(Params& params, const Json& value, const FieldLimits&) {
  constexpr std::size_t kMostDocuments = 2048;
  if (!value.is_array() || value.empty() || value.size() > kMostDocuments)
    return fault("expected a list of 1 to 2048 documents");
  params.documents.clear();
  for (std::size_t i = 0; i < value.size(); ++i) {
    const Json text = value[i].is_object() ? value[i].value("text", Json()) : value[i];
    if (!text.is_string())
      return FieldFault{"[" + std::to_string(i) + "]", "expected a string, or an object with a text"};
    params.documents.push_back(text.get<std::string>());
  }
  return std::nullopt;
}

std::optional<FieldFault> modalities(Params&, const Json& value, const FieldLimits&) {
  return value == Json::array({"text"}) ? std::nullopt : std::optional(fault("only [\"text\"] is supported"));
}

std::optional<FieldFault> noLora(Params&, const Json& value, const FieldLimits&) {
  return value.is_array() && value.empty() ? std::nullopt
                                           : std::optional(fault("expected an empty list: there are no adapters"));
}

std::optional<FieldFault> noSuffix(Params&, const Json& value, const FieldLimits&) {
  return value == "" ? std::nullopt : std::optional(fault("is not supported: nothing is filled in before a suffix"));
}

} // namespace llcuda::server::readers
