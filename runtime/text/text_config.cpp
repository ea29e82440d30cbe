// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/text_config.h"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

namespace llcuda::text {
namespace {

using Json = nlohmann::json;

constexpr VocabularyKind kKinds[] = {VocabularyKind::kNone, VocabularyKind::kSpm, VocabularyKind::kBpe,
                                     VocabularyKind::kWordPiece, VocabularyKind::kUnigram};

struct TokenField {
  const char* key;
  int32_t TextConfig::*id;
};
constexpr TokenField kTokenFields[] = {{"bos", &TextConfig::bos},
                                       {"eos", &TextConfig::eos},
                                       {"eot", &TextConfig::eot},
                                       {"unknown", &TextConfig::unknown},
                                       {"padding", &TextConfig::padding}};

struct RuleField {
  const char* key;
  bool TextConfig::*rule;
};
constexpr RuleField kRuleFields[] = {{"add_bos", &TextConfig::addBos},
                                     {"add_eos", &TextConfig::addEos},
                                     {"add_space_prefix", &TextConfig::addSpacePrefix}};

struct TextField {
  const char* key;
  std::string TextConfig::*text;
};
constexpr TextField kTextFields[] = {{"pre_tokenizer", &TextConfig::preTokenizer},
                                     {"chat_template", &TextConfig::chatTemplate}};

constexpr size_t kFieldCount = std::size(kTokenFields) + std::size(kRuleFields) + std::size(kTextFields) +
                               5; // kind, end_of_generation, named_templates, sampling, sampling_stages

Error wrong(std::string_view key, std::string_view wanted) {
  return badInput("text config: ", key, " is not ", wanted);
}

/// A token id, or null for none where `optional`.
Result<int32_t> readToken(const Json& value, std::string_view key, bool optional) {
  if (optional && value.is_null())
    return kNoToken;
  if (!value.is_number_unsigned() || value.get<uint64_t>() > std::numeric_limits<int32_t>::max())
    return wrong(key, "a token id");
  return static_cast<int32_t>(value.get<uint64_t>());
}

Result<VocabularyKind> readKind(const Json& value) {
  if (value.is_string())
    for (const VocabularyKind kind : kKinds)
      if (name(kind) == value.get_ref<const std::string&>())
        return kind;
  return wrong("kind", "none, spm, bpe, wordpiece or unigram");
}

Result<void> readLists(const Json& object, TextConfig& config) {
  const auto ends = object.find("end_of_generation");
  if (ends == object.end() || !ends->is_array())
    return wrong("end_of_generation", "a list");
  for (const Json& item : *ends) {
    LLCUDA_ASSIGN_OR_RETURN(const int32_t id, readToken(item, "end_of_generation", false));
    if (!config.endOfGeneration.empty() && id <= config.endOfGeneration.back())
      return wrong("end_of_generation", "ascending");
    config.endOfGeneration.push_back(id);
  }
  const auto templates = object.find("named_templates");
  if (templates == object.end() || !templates->is_object())
    return wrong("named_templates", "an object");
  for (const auto& [key, value] : templates->items()) {
    if (!value.is_string())
      return wrong("named_templates", "an object of texts");
    config.namedTemplates[key] = value.get<std::string>();
  }
  return {};
}

Result<void> readSampling(const Json& object, SamplingDefaults& sampling) {
  const auto numbers = object.find("sampling"), stages = object.find("sampling_stages");
  if (numbers == object.end() || !numbers->is_object())
    return wrong("sampling", "an object");
  for (const auto& [key, value] : numbers->items()) {
    const SamplingRule* const rule = samplingRule(key);
    if (!rule || !value.is_number() || !rule->allows(value.get<double>()))
      return wrong("sampling", "an object of known numbers in their ranges");
    sampling.numbers[key] = value.get<double>();
  }
  if (stages == object.end() || !stages->is_string() || !areSamplingStages(stages->get_ref<const std::string&>()))
    return wrong("sampling_stages", "letters of stages");
  sampling.stages = stages->get<std::string>();
  return {};
}

} // namespace

std::string_view name(VocabularyKind kind) {
  switch (kind) {
  case VocabularyKind::kNone:
    return "none";
  case VocabularyKind::kSpm:
    return "spm";
  case VocabularyKind::kWordPiece:
    return "wordpiece";
  case VocabularyKind::kUnigram:
    return "unigram";
  case VocabularyKind::kBpe:
    return "bpe";
  }
  return "";
}

bool TextConfig::endsGeneration(int32_t token) const {
  return std::binary_search(endOfGeneration.begin(), endOfGeneration.end(), token);
}

std::string toJson(const TextConfig& config) {
  Json object = {
      {"kind", name(config.kind)}, {"end_of_generation", config.endOfGeneration}, {"named_templates", Json::object()}};
  for (const TokenField& field : kTokenFields)
    object[field.key] = config.*field.id < 0 ? Json(nullptr) : Json(config.*field.id);
  for (const RuleField& field : kRuleFields) object[field.key] = config.*field.rule;
  for (const TextField& field : kTextFields) object[field.key] = config.*field.text;
  for (const auto& [key, source] : config.namedTemplates) object["named_templates"][key] = source;
  object["sampling"] = config.sampling.numbers;
  object["sampling_stages"] = config.sampling.stages;
  return object.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

Result<TextConfig> parseTextConfig(std::string_view json) {
  const Json object = Json::parse(json, /*callback=*/nullptr, /*allow_exceptions=*/false);
  if (!object.is_object())
    return badInput("text config: not a JSON object");
  TextConfig config;
  const Json missing;
  const auto at = [&](const char* key) -> const Json& {
    const auto found = object.find(key);
    return found == object.end() ? missing : *found;
  };
  LLCUDA_ASSIGN_OR_RETURN(config.kind, readKind(at("kind")));
  for (const TokenField& field : kTokenFields) {
    if (!object.contains(field.key))
      return badInput("text config: ", field.key, " is missing");
    LLCUDA_ASSIGN_OR_RETURN(config.*field.id, readToken(at(field.key), field.key, true));
  }
  for (const RuleField& field : kRuleFields) {
    if (!at(field.key).is_boolean())
      return wrong(field.key, "true or false");
    config.*field.rule = at(field.key).get<bool>();
  }
  for (const TextField& field : kTextFields) {
    if (!at(field.key).is_string())
      return wrong(field.key, "a text");
    config.*field.text = at(field.key).get<std::string>();
  }
  LLCUDA_RETURN_IF_ERROR(readLists(object, config));
  LLCUDA_RETURN_IF_ERROR(readSampling(object, config.sampling));
  if (object.size() != kFieldCount)
    return badInput("text config: it has ", object.size(), " keys, ", kFieldCount, " are known");
  return config;
}

Result<void> checkTextConfig(const TextConfig& config, uint32_t vocabulary) {
  const auto check = [&](std::string_view key, int32_t id) -> Result<void> {
    if (id >= 0 && static_cast<uint32_t>(id) >= vocabulary)
      return badInput("text config: ", key, " is token ", id, " of ", vocabulary);
    return {};
  };
  for (const TokenField& field : kTokenFields) LLCUDA_RETURN_IF_ERROR(check(field.key, config.*field.id));
  for (const int32_t id : config.endOfGeneration) LLCUDA_RETURN_IF_ERROR(check("end_of_generation", id));
  if (config.addBos && config.bos < 0)
    return badInput("text config: add_bos is set, but there is no bos token");
  if (config.addEos && config.eos < 0)
    return badInput("text config: add_eos is set, but there is no eos token");
  return {};
}

} // namespace llcuda::text
