// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/prompts.h"

#include <algorithm>

namespace llcuda::server {
namespace {

constexpr std::size_t kMostPrompts = 2048; // OpenAI's limit for a list

bool isScalar(const Json& value) {
  return value.is_number() || value.is_string();
}

/// A list of ids, or of ids and texts, is one prompt; of texts alone it is several.
bool isOnePrompt(const Json& value) {
  return !value.is_array() || (std::ranges::any_of(value, [](const Json& item) { return item.is_number(); }) &&
                               std::ranges::all_of(value, isScalar));
}

class PromptReader {
public:
  PromptReader(const api::Engine& engine, const FieldLimits& limits) : engine(engine), limits(limits) {}

  Checked<std::vector<int32_t>> read(const Json& value, const std::string& at) const {
    std::vector<int32_t> tokens;
    if (value.is_string())
      return text(value.get_ref<const std::string&>(), at, true);
    if (value.is_object())
      return object(value, at);
    if (!value.is_array() || value.empty())
      return fieldError(at, "expected a string or a list of token ids");
    for (std::size_t i = 0; i < value.size(); ++i) {
      const Json& item = value[i];
      const std::string place = at + "[" + std::to_string(i) + "]";
      if (item.is_string()) {
        const auto part = text(item.get_ref<const std::string&>(), place, i == 0);
        if (!part)
          return part.error();
        tokens.insert(tokens.end(), (*part).begin(), (*part).end());
        continue;
      }
      if (!item.is_number_integer() || item.get<double>() < 0 || item.get<double>() >= limits.vocabulary)
        return fieldError(place, "expected a token id from 0 to " + std::to_string(limits.vocabulary - 1));
      tokens.push_back(item.get<int32_t>());
    }
    return tokens;
  }

private:
  Checked<std::vector<int32_t>> text(std::string_view text, const std::string& at, bool isFirst) const {
    auto tokens = engine.tokenize(text, LLCUDA_PARSE_SPECIAL | (isFirst ? LLCUDA_ADD_BOS : 0));
    if (!tokens) {
      ApiError error = errorOf(tokens.error());
      error.param = at;
      return error;
    }
    return *tokens;
  }

  Checked<std::vector<int32_t>> object(const Json& value, const std::string& at) const {
    if (value.contains("multimodal_data") && !value["multimodal_data"].empty())
      return fieldError(at + ".multimodal_data", "is not supported: the model reads text alone");
    if (value.contains("prompt_string") && value["prompt_string"].is_string())
      return text(value["prompt_string"].get_ref<const std::string&>(), at, true);
    const auto content = value.find("content");
    if (content == value.end() || !content->is_array())
      return fieldError(at, "expected an object with a prompt_string, or with content, a list of parts");
    std::string joined;
    for (std::size_t i = 0; i < content->size(); ++i) {
      const Json& part = (*content)[i];
      if (!part.is_object() || part.value("type", Json()) != "text" || !part.value("text", Json()).is_string())
        return fieldError(at + ".content[" + std::to_string(i) + "]",
                          "expected a part of the type text: the model reads text alone");
      joined += part["text"].get<std::string>();
    }
    return text(joined, at, true);
  }

  const api::Engine& engine;
  const FieldLimits& limits;
};

} // namespace

Checked<Prompts> promptsOf(const Json& value, const std::string& field, const api::Engine& engine,
                           const FieldLimits& limits) {
  Prompts prompts;
  prompts.isList = !isOnePrompt(value);
  const Json list = prompts.isList ? value : Json::array({value});
  if (list.empty() || list.size() > kMostPrompts)
    return fieldError(field, "expected 1 to " + std::to_string(kMostPrompts) + " prompts");
  const PromptReader reader(engine, limits);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string at = prompts.isList ? field + "[" + std::to_string(i) + "]" : field;
    auto tokens = reader.read(list[i], at);
    if (!tokens) {
      ApiError error = tokens.error();
      error.param = field;
      return error;
    }
    if ((*tokens).empty())
      return fieldError(field, "is empty, and the model has no token that begins a text");
    prompts.tokens.push_back(std::move(*tokens));
  }
  return prompts;
}

} // namespace llcuda::server
