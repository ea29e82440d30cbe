// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/fields.h"

#include <algorithm>
#include <cmath>

#include "runtime/server/api/sampler_stages.h"

namespace llcuda::server {
namespace {

std::string shown(double value) {
  return std::abs(value) < 1e15 && value == std::floor(value) ? std::to_string(static_cast<int64_t>(value))
                                                              : Json(value).dump();
}

template <typename T, typename... Options>
bool holds(const std::variant<Options...>& target) {
  return std::holds_alternative<T>(target);
}

bool isNumber(const Field& field) {
  return holds<int64_t Params::*>(field.target) || holds<double Params::*>(field.target);
}
bool isBool(const Field& field) {
  return holds<bool Params::*>(field.target) || holds<std::optional<bool> Params::*>(field.target);
}

std::vector<std::string> listed(std::string_view values) {
  std::vector<std::string> result;
  while (!values.empty()) {
    const std::size_t end = std::min(values.find('|'), values.size());
    result.emplace_back(values.substr(0, end));
    values.remove_prefix(std::min(end + 1, values.size()));
  }
  return result;
}

/// Stores what fits; false where it does not.
bool store(const Field& field, const Json& value, Params& params) {
  const auto isInRange = [&](double number) {
    return number <= field.range.most &&
           (field.range.isAbove ? number > field.range.least : number >= field.range.least);
  };
  if (const auto* member = std::get_if<bool Params::*>(&field.target))
    return value.is_boolean() && (params.**member = value.get<bool>(), true);
  if (const auto* member = std::get_if<std::optional<bool> Params::*>(&field.target))
    return value.is_boolean() && (params.**member = value.get<bool>(), true);
  if (const auto* member = std::get_if<double Params::*>(&field.target))
    return value.is_number() && isInRange(value.get<double>()) && (params.**member = value.get<double>(), true);
  if (const auto* member = std::get_if<int64_t Params::*>(&field.target)) {
    // Clients of some languages write whole numbers as 5.0.
    const bool isWhole = value.is_number() && value.get<double>() == std::floor(value.get<double>());
    return isWhole && isInRange(value.get<double>()) && (params.**member = value.get<int64_t>(), true);
  }
  if (const auto* member = std::get_if<std::string Params::*>(&field.target)) {
    const auto values = listed(field.values);
    const bool fits =
        value.is_string() && (values.empty() || std::ranges::find(values, value.get<std::string>()) != values.end());
    return fits && (params.**member = value.get<std::string>(), true);
  }
  if (const auto* member = std::get_if<Json Params::*>(&field.target)) {
    const bool isObject = field.schema.find("anyOf") == std::string_view::npos;
    const bool fits = isObject ? value.is_object() : value.is_object() || value.is_array() || value.is_string();
    return fits && (params.**member = value, true);
  }
  return true; // ignored
}

std::optional<ApiError> contradiction(const Params& params, FieldForm form) {
  if (params.topLogprobs > 0 && !params.logprobs)
    return fieldError("top_logprobs", "needs `logprobs` to be true");
  if (params.addGenerationPrompt == true && params.continueFinalMessage == true)
    return fieldError("continue_final_message", "cannot be true together with `add_generation_prompt`");
  const bool hasFormat = params.responseFormat.is_object() && params.responseFormat["type"] != "text";
  const int constraints = !params.grammar.empty() + !params.regex.empty() + !params.jsonSchema.is_null() + hasFormat;
  if (constraints > 1)
    return fieldError(!params.grammar.empty() ? "grammar"
                      : !params.regex.empty() ? "regex"
                                              : "json_schema",
                      "only one of `response_format`, `json_schema`, `grammar` and `regex` may be given");
  const bool hasTools = params.tools.is_array() && !params.tools.empty();
  if (hasTools && (!params.grammar.empty() || !params.regex.empty() || !params.jsonSchema.is_null()))
    return fieldError(!params.grammar.empty() ? "grammar"
                      : !params.regex.empty() ? "regex"
                                              : "json_schema",
                      "cannot be used together with `tools`; `response_format` can");
  if (!hasTools && params.toolChoice.is_object())
    return fieldError("tool_choice", "names a function, and there are no `tools`");
  if (!hasTools && params.toolChoice == "required")
    return fieldError("tool_choice", "is required, and there are no `tools`");
  if (form == kCompletions && params.echo && params.stream)
    return fieldError("echo", "cannot be used together with `stream`");
  return std::nullopt;
}

} // namespace

std::string expectation(const Field& field, const FieldLimits&) {
  if (isBool(field))
    return "expected true or false";
  if (isNumber(field)) {
    const std::string kind = holds<int64_t Params::*>(field.target) ? "a whole number " : "a number ";
    const std::string least = (field.range.isAbove ? "above " : "from ") + shown(field.range.least);
    return "expected " + kind + least + (field.range.isAbove ? ", up to " : " to ") + shown(field.range.most);
  }
  if (holds<std::string Params::*>(field.target)) {
    std::string names;
    for (const std::string& value : listed(field.values)) names += (names.empty() ? "" : ", ") + value;
    return names.empty() ? "expected a string" : "expected one of " + names;
  }
  return "expected " + std::string(field.expects.empty() ? "anything" : field.expects);
}

std::optional<FieldFault> storeField(const Field& field, const Json& value, Params& params, const FieldLimits& limits) {
  if (const auto* reader = std::get_if<FieldReader>(&field.target))
    return (*reader)(params, value, limits);
  if (!store(field, value, params))
    return FieldFault{{}, expectation(field, limits)};
  return std::nullopt;
}

Checked<ReadRequest> readFields(const Json& body, FieldForm form, const Params& defaults, const FieldLimits& limits,
                                bool strict) {
  ReadRequest result{defaults, {}};
  std::size_t known = 0;
  for (const Field& field : fieldTable()) {
    if (!(field.forms & form))
      continue;
    const auto found = body.find(field.name);
    known += found != body.end();
    if (found == body.end() || found->is_null()) {
      if (field.isRequired)
        return fieldError(std::string(field.name), "is missing: " + expectation(field, limits));
      continue;
    }
    if (const auto fault = storeField(field, *found, result.params, limits)) {
      ApiError error = fieldError(std::string(field.name) + fault->at, fault->sentence);
      error.param = field.name;
      return error;
    }
  }
  for (const RefusedField& field : refusedFields())
    if ((field.forms & form) && body.contains(field.name) && !body[field.name].is_null())
      return fieldError(std::string(field.name), field.sentence);
  if (known != body.size())
    for (const auto& [name, value] : body.items())
      if (std::ranges::none_of(fieldTable(),
                               [&](const Field& field) { return (field.forms & form) && field.name == name; }))
        result.unknown.push_back(name);
  if (strict && !result.unknown.empty())
    return fieldError(result.unknown.front(), "is not known here, and the server takes known fields only");
  if (body.contains("n") && body.contains("best_of") && body["n"].is_number() && body["best_of"].is_number() &&
      body["n"] != body["best_of"])
    return fieldError("best_of", "has to be the same as `n`: no answer is thrown away");
  if (auto error = contradiction(result.params, form))
    return *error;
  return result;
}

Json generationSettings(const Params& params) {
  Json settings = {{"seed", params.seed ? Json(*params.seed) : Json(0xffffffff)}};
  for (const Field& field : fieldTable()) {
    if (!field.isSetting)
      continue;
    const std::string name(field.name);
    if (const auto* member = std::get_if<bool Params::*>(&field.target))
      settings[name] = params.**member;
    else if (const auto* member = std::get_if<int64_t Params::*>(&field.target))
      settings[name] = params.**member;
    else if (const auto* member = std::get_if<double Params::*>(&field.target))
      settings[name] = params.**member;
  }
  settings["stop"] = params.stop;
  settings["dry_sequence_breakers"] = params.drySequenceBreakers;
  settings["samplers"] = Json::array();
  for (const char letter : params.samplers)
    if (const SamplerStage* stage = stageOfLetter(letter))
      settings["samplers"].push_back(stage->name);
  settings["logit_bias"] = Json::array();
  for (const LogitBias& entry : params.logitBias)
    settings["logit_bias"].push_back({{"token", entry.token}, {"bias", entry.forbids ? Json() : Json(entry.bias)}});
  settings["grammar"] = params.grammar;
  settings["n_keep"] = 0;
  settings["lora"] = Json::array();
  return settings;
}

Json defaultOf(const Field& field) {
  static const Params defaults;
  if (const auto* member = std::get_if<bool Params::*>(&field.target))
    return defaults.**member;
  if (const auto* member = std::get_if<int64_t Params::*>(&field.target))
    return defaults.**member < static_cast<int64_t>(field.range.least) ? Json()
                                                                       : Json(defaults.**member); // nothing: off
  if (const auto* member = std::get_if<double Params::*>(&field.target))
    return defaults.**member;
  return {};
}

Json schemaOf(const Field& field, const FieldLimits& limits) {
  Json schema = field.schema.empty() ? Json::object() : Json::parse(field.schema);
  if (isBool(field))
    schema = {{"type", "boolean"}};
  if (isNumber(field)) {
    schema = {{"type", holds<int64_t Params::*>(field.target) ? "integer" : "number"}};
    const auto bound = [&](double value) {
      return holds<int64_t Params::*>(field.target) ? Json(static_cast<int64_t>(value)) : Json(value);
    };
    schema[field.range.isAbove ? "exclusiveMinimum" : "minimum"] = bound(field.range.least);
    schema["maximum"] = bound(field.range.most);
  }
  if (holds<std::string Params::*>(field.target)) {
    schema = {{"type", "string"}};
    if (!field.values.empty())
      schema["enum"] = listed(field.values);
  }
  if (const Json value = defaultOf(field); !value.is_null())
    schema["default"] = value;
  schema["description"] = field.doc;
  return schema;
}

} // namespace llcuda::server
