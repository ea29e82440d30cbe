// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/batch_request.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runtime/text/sampling_defaults.h"
#include "tools/llcuda-run/grammar_option.h"
#include "tools/llcuda-run/sampler_options.h"

namespace llcuda::run {
namespace {

using nlohmann::ordered_json;

/// Thrown within this file alone.
struct Refused {
  BatchRefusal refusal;
};

[[noreturn]] void refuse(const std::string& message, const std::string& field = {}) {
  throw Refused{{400, field.empty() ? message : "Field '" + field + "': " + message, field}};
}

/// A body of which every field has to be read, or ignored by name.
class Body {
public:
  explicit Body(const ordered_json& body) : body(body) {
    if (!body.is_object())
      refuse("the body is no object");
  }

  /// Null counts as left out.
  const ordered_json* find(const char* name) {
    known.push_back(name);
    const auto found = body.find(name);
    return found == body.end() || found->is_null() ? nullptr : &*found;
  }

  double number(const char* name, double otherwise, double least, double most) {
    const ordered_json* value = find(name);
    if (!value)
      return otherwise;
    const double given = value->is_number() ? value->get<double>() : std::nan("");
    if (!(given >= least && given <= most))
      refuse("expected a number from " + shown(least) + " to " + shown(most), name);
    return given;
  }

  int64_t integer(const char* name, int64_t otherwise, int64_t least, int64_t most) {
    const ordered_json* value = find(name);
    if (!value)
      return otherwise;
    if (!value->is_number_integer() || value->get<double>() < static_cast<double>(least) ||
        value->get<double>() > static_cast<double>(most))
      refuse("expected a whole number from " + std::to_string(least) + " to " + std::to_string(most), name);
    return value->get<int64_t>();
  }

  bool isTrue(const char* name) {
    const ordered_json* value = find(name);
    if (value && !value->is_boolean())
      refuse("expected true or false", name);
    return value && value->get<bool>();
  }

  /// A field that may only say what is done anyway.
  void only(const char* name, const ordered_json& value) {
    if (const ordered_json* given = find(name); given && *given != value)
      refuse("only " + value.dump() + " is supported", name);
  }
  void ignore(std::initializer_list<const char*> names) { known.insert(known.end(), names.begin(), names.end()); }

  void refuseOthers() const {
    for (const auto& [name, value] : body.items())
      if (std::ranges::find(known, name) == known.end() && !value.is_null())
        refuse("is not supported", name);
  }

private:
  static std::string shown(double value) { return ordered_json(value).dump(); }

  const ordered_json& body;
  std::vector<std::string> known;
};

std::vector<std::string> stopStrings(Body& body) {
  const ordered_json* stop = body.find("stop");
  std::vector<std::string> strings;
  if (!stop)
    return strings;
  for (const ordered_json& one : stop->is_array() ? *stop : ordered_json::array({*stop})) {
    if (!one.is_string() || one.get_ref<const std::string&>().empty())
      refuse("expected a string or a list of strings, none of them empty", "stop");
    strings.push_back(one.get<std::string>());
  }
  return strings;
}

/// A number, or false for never.
void addBias(int64_t token, const ordered_json& bias, api::Sampler& sampler) {
  const bool isNever = bias.is_boolean() && !bias.get<bool>();
  if (token < 0 || token > INT32_MAX || !(isNever || bias.is_number()))
    refuse("expected token ids with numbers, or false for never", "logit_bias");
  sampler.logitBias.push_back(
      {static_cast<int32_t>(token), isNever ? -std::numeric_limits<float>::infinity() : bias.get<float>()});
}

void biasesOf(Body& body, api::Sampler& sampler) {
  const ordered_json* biases = body.find("logit_bias");
  if (!biases)
    return;
  if (biases->is_object()) {
    for (const auto& [key, bias] : biases->items()) {
      int64_t token = -1;
      const auto [stop, error] = std::from_chars(key.data(), key.data() + key.size(), token);
      addBias(error == std::errc() && stop == key.data() + key.size() ? token : -1, bias, sampler);
    }
    return;
  }
  for (const ordered_json& pair : biases->is_array() ? *biases : ordered_json::array({nullptr})) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_integer())
      refuse("expected an object, or a list of pairs, of token ids and numbers", "logit_bias");
    addBias(pair[0].get<int64_t>(), pair[1], sampler);
  }
}

/// A list of names, or letters.
void stagesOf(Body& body, api::Sampler& sampler) {
  const ordered_json* stages = body.find("samplers");
  if (!stages)
    return;
  std::string letters = stages->is_string() ? stages->get<std::string>() : std::string();
  for (const ordered_json& name : stages->is_array() ? *stages : ordered_json::array())
    letters += name.is_string() ? text::samplingStage(name.get_ref<const std::string&>()).value_or('?') : '?';
  if (!text::areSamplingStages(letters) || !(stages->is_array() || stages->is_string()))
    refuse("expected a list of up to 12 samplers by name, or their letters", "samplers");
  sampler.stages = letters;
}

void numbersOf(Body& body, api::Sampler& sampler) {
  for (const SamplerField& field : samplerFields()) {
    const double otherwise = field.of(sampler);
    const auto whole = [](double number) { return static_cast<int64_t>(number); };
    const double given =
        field.isWhole()
            ? static_cast<double>(body.integer(field.name, whole(otherwise), whole(field.least), whole(field.most)))
            : body.number(field.name, otherwise, field.least, field.most);
    if (field.excludesLeast && given == field.least)
      refuse("expected a number above " + ordered_json(field.least).dump(), field.name);
    field.set(sampler, given);
  }
  sampler.minKeep = static_cast<uint32_t>(body.integer("min_keep", sampler.minKeep, 0, INT32_MAX));
}

/// llama-server's fields of a request.
void samplingOf(Body& body, api::Sampler& sampler) {
  numbersOf(body, sampler);
  stagesOf(body, sampler);
  biasesOf(body, sampler);
  if (const ordered_json* breakers = body.find("dry_sequence_breakers")) {
    sampler.drySequenceBreakers.clear();
    for (const ordered_json& breaker : breakers->is_array() ? *breakers : ordered_json::array({nullptr})) {
      if (!breaker.is_string())
        refuse("expected a list of strings", "dry_sequence_breakers");
      sampler.drySequenceBreakers.push_back(breaker.get<std::string>());
    }
  }
  if (const ordered_json* ignores = body.find("ignore_eos")) {
    if (!ignores->is_boolean())
      refuse("expected true or false", "ignore_eos");
    sampler.ignoreEos = ignores->get<bool>();
  }
}

/// Messages whose content is text: parts are joined as llama-server joins them.
ordered_json plainMessages(const ordered_json& messages) {
  if (!messages.is_array() || messages.empty())
    refuse("expected a list of messages", "messages");
  ordered_json plain = messages;
  for (ordered_json& message : plain) {
    if (!message.is_object() || !message.contains("role") || !message["role"].is_string())
      refuse("each message is an object with a role", "messages");
    ordered_json& content = message["content"];
    if (content.is_string() || content.is_null())
      continue;
    std::string text;
    if (!content.is_array())
      refuse("the content of a message is a string or a list of parts", "messages");
    for (const ordered_json& part : content) {
      if (!part.is_object() || part.value("type", "") != "text" || !part.contains("text") || !part["text"].is_string())
        refuse("only parts of type text are supported", "messages");
      text += (text.empty() ? "" : "\n\n") + part["text"].get<std::string>();
    }
    content = text;
  }
  return plain;
}

template <typename T>
T orRefuse(api::Expected<T> value, const char* field) {
  if (!value)
    refuse(value.error().message, field);
  return std::move(*value);
}

std::vector<int32_t> chatTokensOf(Body& body, const api::Engine& engine) {
  const ordered_json* messages = body.find("messages");
  if (!messages)
    refuse("is required", "messages");
  const ordered_json variables = {{"messages", plainMessages(*messages)}};
  const std::string text = orRefuse(engine.renderChatJson(variables.dump()), "messages");
  return orRefuse(engine.tokenize(text, LLCUDA_RENDERED_CHAT), "messages");
}

std::vector<int32_t> promptTokensOf(Body& body, const char* field, const api::Engine& engine) {
  const ordered_json* prompt = body.find(field);
  if (!prompt)
    refuse("is required", field);
  if (prompt->is_string())
    return orRefuse(engine.tokenize(prompt->get_ref<const std::string&>(), LLCUDA_ADD_BOS | LLCUDA_PARSE_SPECIAL),
                    field);
  std::vector<int32_t> tokens;
  if (!prompt->is_array())
    refuse("expected a string or a list of token ids", field);
  for (const ordered_json& token : *prompt) {
    if (!token.is_number_integer() || token.get<double>() < 0 || token.get<double>() > INT32_MAX)
      refuse("expected a string or a list of token ids; a batch has one prompt a line", field);
    tokens.push_back(token.get<int32_t>());
  }
  return tokens;
}

/// A grammar and the field that says it.
struct Constraint {
  GrammarText grammar;
  const char* field;
};

/// OpenAI's field. A strict schema also means JSON without blanks.
std::optional<Constraint> responseFormatOf(Body& body) {
  const char* const field = "response_format";
  const ordered_json* format = body.find(field);
  if (!format)
    return std::nullopt;
  const std::string type = format->is_object() ? format->value("type", ordered_json()).dump() : std::string();
  if (type == "\"text\"")
    return std::nullopt;
  if (type == "\"json_object\"" && !format->contains("schema"))
    return Constraint{{LLCUDA_GRAMMAR_JSON_OBJECT, {}}, field};
  const ordered_json* named =
      type == "\"json_schema\"" && format->contains("json_schema") ? &(*format)["json_schema"] : format;
  if ((type != "\"json_schema\"" && type != "\"json_object\"") || !named->is_object() || !named->contains("schema"))
    refuse("expected {\"type\": \"text\"}, {\"type\": \"json_object\"} or "
           "{\"type\": \"json_schema\", \"json_schema\": {\"schema\": ...}}",
           field);
  ordered_json schema = (*named)["schema"];
  if (named->value("strict", ordered_json(false)) == true && schema.is_object() && !schema.contains("x-guidance"))
    schema["x-guidance"] = {{"whitespace_flexible", false}};
  return Constraint{{LLCUDA_GRAMMAR_JSON_SCHEMA, schema.dump()}, field};
}

/// One of response_format, and llama-server's grammar, json_schema and regex.
std::optional<Constraint> constraintOf(Body& body) {
  std::vector<Constraint> said;
  if (std::optional<Constraint> format = responseFormatOf(body))
    said.push_back(std::move(*format));
  if (const ordered_json* schema = body.find("json_schema"))
    said.push_back({{LLCUDA_GRAMMAR_JSON_SCHEMA, schema->dump()}, "json_schema"});
  for (const char* name : {"grammar", "regex"})
    if (const ordered_json* text = body.find(name)) {
      if (!text->is_string())
        refuse("expected a string", name);
      const auto& given = text->get_ref<const std::string&>();
      said.push_back(
          {name == std::string_view("regex") ? GrammarText{LLCUDA_GRAMMAR_REGEX, given} : grammarText(given), name});
    }
  if (said.size() > 1)
    refuse(std::string("there is a ") + said[0].field + " already; one of them is enough", said[1].field);
  return said.empty() ? std::nullopt : std::optional(std::move(said[0]));
}

/// A chat says whether it wants log-probabilities and how many more, a completion how many.
void logprobsOf(Body& body, BatchRequest& batch) {
  constexpr int64_t kMost = 20;
  api::Request& request = batch.request;
  if (batch.kind == BatchRequest::Kind::kChat) {
    body.only("echo", false);
    const int64_t top = body.integer("top_logprobs", 0, 0, kMost);
    const bool wanted = body.isTrue("logprobs");
    if (top > 0 && !wanted)
      refuse("needs logprobs", "top_logprobs");
    request.logprobs = wanted ? static_cast<int32_t>(top) : -1;
    return;
  }
  batch.echoes = body.isTrue("echo");
  const ordered_json* said = body.find("logprobs");
  request.logprobs = said && *said == false ? -1 : static_cast<int32_t>(body.integer("logprobs", -1, 0, kMost));
  if (batch.echoes)
    request.promptLogprobs = request.logprobs;
}

void generationOf(Body& body, const api::Engine& engine, const api::GenerateOptions& defaults, BatchRequest& batch) {
  const bool isChat = batch.kind == BatchRequest::Kind::kChat;
  api::Request& request = batch.request;
  const int64_t most = body.integer("max_tokens", defaults.maxTokens, -1, INT32_MAX);
  request.maxTokens = static_cast<int32_t>(isChat ? body.integer("max_completion_tokens", most, -1, INT32_MAX) : most);
  api::Sampler sampler = *defaults.sampler;
  samplingOf(body, sampler);
  sampler.seed = static_cast<uint64_t>(body.integer("seed", static_cast<int64_t>(*sampler.seed), INT64_MIN, INT64_MAX));
  request.sampler = std::move(sampler);
  request.stop = stopStrings(body);
  request.ignoreStop = defaults.ignoreStop;
  for (const char* name : {"n", "best_of"}) body.only(name, 1);
  body.only("stream", false);
  logprobsOf(body, batch);
  if (const std::optional<Constraint> constraint = constraintOf(body))
    request.grammar =
        orRefuse(engine.createGrammar(constraint->grammar.kind, constraint->grammar.text), constraint->field);
  request.tokens = isChat ? chatTokensOf(body, engine) : promptTokensOf(body, "prompt", engine);
}

void embeddingOf(Body& body, const api::Engine& engine, BatchRequest& batch) {
  batch.request.task = LLCUDA_TASK_EMBED;
  batch.request.tokens = promptTokensOf(body, "input", engine);
  if (const ordered_json* format = body.find("encoding_format")) {
    if (*format != "float" && *format != "base64")
      refuse("expected \"float\" or \"base64\"", "encoding_format");
    batch.base64 = *format == "base64";
  }
}

BatchRequest::Kind kindOf(const ordered_json& line) {
  using Kind = BatchRequest::Kind;
  const auto url = line.find("url");
  if (url != line.end())
    for (const auto& [path, kind] : {std::pair{"/v1/chat/completions", Kind::kChat},
                                     {"/v1/completions", Kind::kCompletion},
                                     {"/v1/embeddings", Kind::kEmbedding}})
      if (*url == path)
        return kind;
  refuse("the url is " + (url == line.end() ? std::string("missing") : url->dump()) +
         "; there are \"/v1/chat/completions\", \"/v1/completions\" and \"/v1/embeddings\"");
}

BatchRequest requestOf(const ordered_json& line, const api::Engine& engine, const api::GenerateOptions& defaults) {
  BatchRequest result;
  if (const auto method = line.find("method"); method != line.end() && *method != "POST")
    refuse("the method is " + method->dump() + ", only \"POST\" is supported");
  result.kind = kindOf(line);
  if (!line.contains("body"))
    refuse("the line has no body");
  Body body(line["body"]);
  if (const ordered_json* model = body.find("model")) {
    if (!model->is_string())
      refuse("expected a string", "model");
    result.model = model->get<std::string>();
  }
  if (result.kind == BatchRequest::Kind::kEmbedding)
    embeddingOf(body, engine, result);
  else
    generationOf(body, engine, defaults, result);
  body.ignore({"user", "metadata", "store", "service_tier", "stream_options", "safety_identifier", "prompt_cache_key"});
  body.refuseOthers();
  return result;
}

} // namespace

std::variant<std::string, BatchRefusal> customIdOf(const std::string& text) {
  const ordered_json line = ordered_json::parse(text, nullptr, false);
  if (!line.is_object())
    return BatchRefusal{400, "is no JSON object", {}};
  const auto id = line.find("custom_id");
  if (id == line.end() || !id->is_string())
    return BatchRefusal{400, "has no custom_id that is a string", {}};
  return id->get<std::string>();
}

std::variant<BatchRequest, BatchRefusal> batchRequestOf(const std::string& text, uint64_t line,
                                                        const api::Engine& engine,
                                                        const api::GenerateOptions& defaults) {
  const ordered_json parsed = ordered_json::parse(text, nullptr, false);
  try {
    BatchRequest request = requestOf(parsed, engine, defaults);
    request.line = line;
    request.customId = parsed["custom_id"].get<std::string>();
    return request;
  } catch (const Refused& refused) {
    return refused.refusal;
  }
}

} // namespace llcuda::run
