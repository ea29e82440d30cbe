// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/tokenizer_file.h"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

using Json = nlohmann::json;

constexpr int32_t kMaxTokens = 1 << 22;

const Json& at(const Json& object, const char* key) {
  static const Json kNull;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? kNull : *found;
}

std::string_view textOf(const Json& value) {
  return value.is_string() ? std::string_view(value.get_ref<const std::string&>()) : std::string_view();
}

std::optional<int32_t> idOf(const Json& value) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() >= kMaxTokens)
    return std::nullopt;
  return value.get<int32_t>();
}

/// The list of an object's member; an empty one for null and no member.
Result<const Json*> listOf(const Json& object, const char* key) {
  static const Json kEmpty = Json::array();
  const Json& list = at(object, key);
  if (!list.is_null() && !list.is_array())
    return badInput(key, " is not a list");
  return list.is_null() ? &kEmpty : &list;
}

Result<void> place(TokenList& tokens, std::string_view text, std::optional<int32_t> id, TokenKind kind) {
  if (!id)
    return badInput("token ", Quoted{text}, " has no id below ", kMaxTokens);
  const auto index = static_cast<size_t>(*id);
  if (index >= tokens.texts.size()) {
    tokens.texts.resize(index + 1);
    tokens.kinds.resize(index + 1, TokenKind::kUnused);
  }
  if (!tokens.texts[index].empty() && tokens.texts[index] != text)
    return badInput("tokens ", Quoted{tokens.texts[index]}, " and ", Quoted{text}, " have the same id ", *id);
  tokens.texts[index] = text;
  tokens.kinds[index] = kind;
  return {};
}

Result<void> readTokens(const Json& tokenizer, TokenizerFile& file) {
  const Json& model = at(tokenizer, "model");
  const std::string_view type = textOf(at(model, "type"));
  if (type != "BPE" && type != "WordPiece" && type != "Unigram")
    return unsupported("the model is of type ", Quoted{type}, "; BPE, WordPiece and Unigram are supported");
  const Json& vocabulary = at(model, "vocab");
  const bool scored = type == "Unigram"; // a list of texts with their scores, by rising id
  if (!(scored ? vocabulary.is_array() : vocabulary.is_object()) || vocabulary.empty())
    return badInput("the model has no vocab");
  if (scored && vocabulary.size() > kMaxTokens)
    return badInput("the model has ", vocabulary.size(), " tokens, at most ", kMaxTokens);
  if (scored)
    for (int32_t id = 0; const Json& token : vocabulary) {
      const Json& text = token.is_array() && token.size() == 2 ? token[0] : Json();
      if (!text.is_string() || !token[1].is_number())
        return badInput("vocab[", id, "] is no text with its score");
      LLCUDA_RETURN_IF_ERROR(place(file.tokens, textOf(text), id++, TokenKind::kNormal));
    }
  else
    for (const auto& [text, id] : vocabulary.items())
      LLCUDA_RETURN_IF_ERROR(place(file.tokens, text, idOf(id), TokenKind::kNormal));
  LLCUDA_ASSIGN_OR_RETURN(const Json* const added, listOf(tokenizer, "added_tokens"));
  for (const Json& token : *added)
    LLCUDA_RETURN_IF_ERROR(place(file.tokens, textOf(at(token, "content")), idOf(at(token, "id")),
                                 at(token, "special") == true ? TokenKind::kControl : TokenKind::kUserDefined));
  for (size_t id = 0; id < file.tokens.texts.size(); ++id)
    if (!file.tokens.texts[id].empty())
      file.tokens.ids.emplace(file.tokens.texts[id], static_cast<int32_t>(id));
  file.unknown =
      scored ? idOf(at(model, "unk_id")).value_or(text::kNoToken) : file.tokens.find(textOf(at(model, "unk_token")));
  if (file.unknown >= static_cast<int32_t>(file.tokens.texts.size()))
    return badInput("unk_id is ", file.unknown, " of ", file.tokens.texts.size(), " tokens");
  return {};
}

// What a post-processor puts around a text, in order.
struct Surroundings {
  std::vector<int32_t> before, after;
};

Result<void> readTemplate(const Json& processor, Surroundings& around) {
  LLCUDA_ASSIGN_OR_RETURN(const Json* const pieces, listOf(processor, "single"));
  bool behind = false;
  for (const Json& piece : *pieces) {
    if (!at(piece, "Sequence").is_null()) {
      behind = true;
      continue;
    }
    const std::string name(textOf(at(at(piece, "SpecialToken"), "id")));
    LLCUDA_ASSIGN_OR_RETURN(const Json* const ids, listOf(at(at(processor, "special_tokens"), name.c_str()), "ids"));
    for (const Json& id : *ids) {
      if (!idOf(id))
        return badInput("the post-processor's token ", Quoted{name}, " has no id");
      (behind ? around.after : around.before).push_back(*idOf(id));
    }
  }
  return {};
}

Result<void> readSides(const Json& processor, Surroundings& around) {
  for (const char* side : {"cls", "sep"}) {
    const Json& token = at(processor, side);
    const std::optional<int32_t> id = token.is_array() && token.size() == 2 ? idOf(token[1]) : std::nullopt;
    if (!id)
      return badInput("the post-processor has no token ", side, " with its id");
    (side == std::string_view("cls") ? around.before : around.after).push_back(*id);
  }
  return {};
}

Result<void> readPostProcessor(const Json& processor, Surroundings& around) {
  const std::string_view type = textOf(at(processor, "type"));
  if (processor.is_null() || type == "ByteLevel") // that one changes offsets alone
    return {};
  if (type == "TemplateProcessing")
    return readTemplate(processor, around);
  if (type == "BertProcessing" || type == "RobertaProcessing") // a token and its id on either side
    return readSides(processor, around);
  if (type != "Sequence")
    return unsupported("the post-processor is of type ", Quoted{type},
                       "; TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel and Sequence are supported");
  LLCUDA_ASSIGN_OR_RETURN(const Json* const parts, listOf(processor, "processors"));
  for (const Json& part : *parts) {
    if (textOf(at(part, "type")) == "Sequence")
      return badInput("the post-processor has a sequence in a sequence");
    LLCUDA_RETURN_IF_ERROR(readPostProcessor(part, around));
  }
  return {};
}

void readDecoder(const Json& decoder, TokenizerFile& file) {
  const std::string_view type = textOf(at(decoder, "type"));
  if (type == "ByteLevel")
    file.kind = text::VocabularyKind::kBpe;
  if (type == "Metaspace")
    file.stripsSpace |= textOf(at(decoder, "prepend_scheme")) != "never" && at(decoder, "add_prefix_space") != false;
  if (type == "Strip")
    file.stripsSpace |= textOf(at(decoder, "content")) == " " && idOf(at(decoder, "start")).value_or(0) > 0;
}

void readDecoders(const Json& decoder, TokenizerFile& file) {
  file.kind = text::VocabularyKind::kSpm; // but for bytes as letters, what these vocabularies do
  readDecoder(decoder, file);
  const Json& parts = at(decoder, "decoders");
  if (parts.is_array())
    for (const Json& part : parts) readDecoder(part, file);
}

Result<int32_t> single(const std::vector<int32_t>& ids, std::string_view side, const TokenList& tokens) {
  if (ids.empty())
    return text::kNoToken;
  if (ids.size() > 1)
    return unsupported("the post-processor puts ", ids.size(), " tokens ", side, " a text; one is supported");
  const auto id = static_cast<size_t>(ids.front());
  if (id >= tokens.texts.size() || tokens.texts[id].empty())
    return badInput("the post-processor puts token ", id, ' ', side, " a text, which the vocabulary lacks");
  return ids.front();
}

} // namespace

Result<bool> addTokens(Json& tokenizer, const std::vector<AddedToken>& further) {
  LLCUDA_ASSIGN_OR_RETURN(const Json* const added, listOf(tokenizer, "added_tokens"));
  Json list = *added;
  const auto has = [&](const std::string& content) {
    return std::ranges::any_of(list, [&](const Json& token) { return textOf(at(token, "content")) == content; });
  };
  bool changed = false;
  for (const AddedToken& token : further) {
    if (has(token.content))
      continue;
    list.push_back({{"id", static_cast<uint32_t>(token.id)},
                    {"content", token.content},
                    {"single_word", false},
                    {"lstrip", token.stripBefore},
                    {"rstrip", token.stripAfter},
                    {"normalized", token.normalized},
                    {"special", token.special}});
    changed = true;
  }
  if (changed)
    tokenizer["added_tokens"] = std::move(list);
  return changed;
}

Result<TokenizerFile> readTokenizerFile(const Json& tokenizer) {
  TokenizerFile file;
  LLCUDA_RETURN_IF_ERROR(readTokens(tokenizer, file));
  Surroundings around;
  LLCUDA_RETURN_IF_ERROR(readPostProcessor(at(tokenizer, "post_processor"), around));
  LLCUDA_ASSIGN_OR_RETURN(file.before, single(around.before, "before", file.tokens));
  LLCUDA_ASSIGN_OR_RETURN(file.after, single(around.after, "after", file.tokens));
  readDecoders(at(tokenizer, "decoder"), file);
  if (const std::string_view type = textOf(at(at(tokenizer, "model"), "type")); type == "WordPiece")
    file.kind = text::VocabularyKind::kWordPiece, file.stripsSpace = true;
  else if (type == "Unigram")
    file.kind = text::VocabularyKind::kUnigram;
  return file;
}

} // namespace llcuda::ingest
