// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/ops/tokens.h"

#include "runtime/server/api/json_body.h"

namespace llcuda::server {
namespace {

/// A switch of a body; null and nothing mean `otherwise`.
Checked<bool> switchOf(const Json& body, const std::string& name, bool otherwise) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null())
    return otherwise;
  if (!found->is_boolean())
    return fieldError(name, "expected true or false");
  return found->get<bool>();
}

/// A vLLM body names the text otherwise and adds the model's first token unless it is told not to.
struct Asked {
  std::string text;
  bool isPrompt = false, addSpecial = false, parseSpecial = true, withPieces = false;
};

Checked<Asked> askedOf(const Json& body) {
  Asked asked;
  asked.isPrompt = !body.contains("content") && body.contains("prompt");
  const std::string name = asked.isPrompt ? "prompt" : "content";
  const auto text = body.find(name);
  if (text == body.end() || !text->is_string())
    return fieldError(name, "expected a string");
  asked.text = text->get<std::string>();
  const auto read = [&](const char* field, bool otherwise, bool& into) -> std::optional<ApiError> {
    const Checked<bool> value = switchOf(body, field, otherwise);
    if (!value)
      return value.error();
    into = *value;
    return std::nullopt;
  };
  if (auto error = read(asked.isPrompt ? "add_special_tokens" : "add_special", asked.isPrompt, asked.addSpecial))
    return *error;
  if (auto error = read("parse_special", true, asked.parseSpecial))
    return *error;
  if (auto error = read("with_pieces", false, asked.withPieces))
    return *error;
  return asked;
}

/// A string, or bytes as numbers where a piece is only a part of a character.
Json pieceOf(const api::Engine& engine, int32_t token) {
  const std::string_view bytes = engine.piece(token).bytes;
  const Json text = std::string(bytes);
  const bool isText = text.dump(-1, ' ', false, Json::error_handler_t::ignore) ==
                      text.dump(-1, ' ', false, Json::error_handler_t::replace); // both agree on UTF-8 alone
  if (isText)
    return text;
  Json numbers = Json::array();
  for (const char byte : bytes) numbers.push_back(static_cast<unsigned char>(byte));
  return numbers;
}

} // namespace

Checked<Json> tokenize(const Service& service, std::string_view body) {
  const Checked<Json> json = parseBody(body);
  if (!json)
    return json.error();
  const Checked<Asked> asked = askedOf(*json);
  if (!asked)
    return asked.error();
  const Asked& what = *asked;
  const auto ids = service.engine().tokenize(what.text, (what.addSpecial ? LLCUDA_ADD_BOS : 0) |
                                                            (what.parseSpecial ? LLCUDA_PARSE_SPECIAL : 0));
  if (!ids)
    return errorOf(ids.error());
  if (what.isPrompt)
    return Json{{"count", ids->size()}, {"max_model_len", service.context()}, {"tokens", *ids}};
  if (!what.withPieces)
    return Json{{"tokens", *ids}};
  Json tokens = Json::array();
  for (const int32_t id : *ids) tokens.push_back({{"id", id}, {"piece", pieceOf(service.engine(), id)}});
  return Json{{"tokens", std::move(tokens)}};
}

Checked<Json> detokenize(const Service& service, std::string_view body) {
  const Checked<Json> json = parseBody(body);
  if (!json)
    return json.error();
  const auto tokens = (*json).find("tokens");
  if (tokens == (*json).end() || !tokens->is_array())
    return fieldError("tokens", "expected an array of token ids");
  std::vector<int32_t> ids;
  for (const Json& token : *tokens) {
    const bool isId = token.is_number_integer() && token.get<double>() >= 0 &&
                      token.get<double>() < static_cast<double>(service.info().vocabulary);
    if (!isId)
      return fieldError("tokens", "expected ids from 0 to " + std::to_string(service.info().vocabulary - 1));
    ids.push_back(token.get<int32_t>());
  }
  const auto text = service.engine().detokenize(ids, true);
  if (!text)
    return errorOf(text.error());
  return Json{{"content", *text}, {"prompt", *text}};
}

Json tokenizerInfo(const Service& service) {
  const api::Engine& engine = service.engine();
  const llcuda_engine_info& info = service.info();
  const auto piece = [&](int32_t token) {
    const api::Engine::Piece found = engine.piece(token);
    return found.isPresent ? Json(std::string(found.bytes)) : Json();
  };
  const auto chatTemplate = engine.chatTemplate();
  return {{"tokenizer_class", info.vocabulary_kind},
          {"bos_token", piece(info.bos)},
          {"eos_token", piece(info.eos)},
          {"unk_token", piece(info.unknown)},
          {"pad_token", piece(info.padding)},
          {"chat_template", chatTemplate ? Json(*chatTemplate) : Json()}};
}

} // namespace llcuda::server
