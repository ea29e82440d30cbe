// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/hf_vocabulary.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "compiler/ingest/hf_templates.h"
#include "compiler/ingest/json_text.h"
#include "compiler/ingest/message_parts.h"
#include "compiler/ingest/sampling_defaults.h"
#include "compiler/ingest/sentencepiece_model.h"
#include "compiler/ingest/special_tokens.h"
#include "compiler/ingest/tokenizer_file.h"
#include "compiler/ingest/tokenizer_json.h"
#include "compiler/ingest/vocab_merges.h"
#include "runtime/base/mapped_file.h"
#include "runtime/text/chat_template.h"
#include "runtime/text/utf8.h"

namespace llcuda::ingest {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kTokenizer = "tokenizer.json";
constexpr const char* kSentencePiece = "tokenizer.model";
constexpr const char* kVocabulary = "vocab.json";
constexpr const char* kMerges = "merges.txt";
constexpr const char* kWords = "vocab.txt";
constexpr size_t kMaxWords = 1 << 22;
constexpr JsonLimits kTokenizerLimits = {.depth = 32, .values = 16'000'000};

bool holds(const std::string& folder, const char* name) {
  std::error_code ignored;
  return fs::is_regular_file(fs::path(folder) / name, ignored);
}

/// The object of a file of the folder, an empty one when the file is not there.
Result<Json> readObject(const std::string& folder, const char* name) {
  if (!holds(folder, name))
    return Json(Json::object());
  const std::string path = (fs::path(folder) / name).string();
  LLCUDA_ASSIGN_OR_RETURN(Json json, readJsonFile(path, kTokenizerLimits));
  if (!json.is_object())
    return badInput(path, ": is not a JSON object");
  return json;
}

/// The files beside the tokenizer's own.
struct Companions {
  Json tokenizerConfig, specialTokens, addedTokens, config, generation;
};

Result<Companions> readCompanions(const std::string& folder) {
  Companions files;
  LLCUDA_ASSIGN_OR_RETURN(files.tokenizerConfig, readObject(folder, "tokenizer_config.json"));
  LLCUDA_ASSIGN_OR_RETURN(files.specialTokens, readObject(folder, "special_tokens_map.json"));
  LLCUDA_ASSIGN_OR_RETURN(files.addedTokens, readObject(folder, "added_tokens.json"));
  LLCUDA_ASSIGN_OR_RETURN(files.config, readObject(folder, "config.json"));
  LLCUDA_ASSIGN_OR_RETURN(files.generation, readObject(folder, "generation_config.json"));
  return files;
}

/// The member of an object, null when it has none.
const Json& at(const Json& object, const std::string& key) {
  static const Json kNull;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found == object.end() ? kNull : *found;
}

/// A token as a text, or as an object with its content.
std::string_view tokenText(const Json& token) {
  const Json& content = token.is_object() ? at(token, "content") : token;
  return content.is_string() ? std::string_view(content.get_ref<const std::string&>()) : std::string_view();
}

std::optional<int32_t> parseId(std::string_view text) {
  int32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() && id >= 0 ? std::optional(id) : std::nullopt;
}

/// What tokenizer_config.json adds to the vocabulary, by id.
Result<std::vector<AddedToken>> addedTokens(const Companions& files) {
  std::vector<AddedToken> added;
  const Json& decoder = at(files.tokenizerConfig, "added_tokens_decoder");
  if (!decoder.is_object())
    return added;
  for (const auto& [key, token] : decoder.items()) {
    const std::optional<int32_t> id = parseId(key);
    if (!id || tokenText(token).empty())
      return badInput("tokenizer_config.json: added_tokens_decoder has ", Quoted{key}, ", which is not a token");
    added.push_back({*id, std::string(tokenText(token)), at(token, "special") == true, at(token, "lstrip") == true,
                     at(token, "rstrip") == true, at(token, "normalized") == true});
  }
  std::ranges::sort(added, {}, &AddedToken::id);
  return added;
}

/// Ids that are one number or a list of them.
void appendIds(const Json& value, std::vector<int64_t>& ids) {
  for (const Json& id : value.is_array() ? value : Json::array({value}))
    if (id.is_number_unsigned() && id.get<uint64_t>() <= INT32_MAX)
      ids.push_back(id.get<int64_t>());
}

/// Where the files say which token has a role.
class Roles {
public:
  Roles(const Companions& files, const TokenList& tokens) : files(files), tokens(tokens) {}

  /// By the text of `<role>_token`, else by the id of `<role>_token_id` in config.json.
  std::optional<int64_t> find(std::string_view role) const {
    const std::string key = std::string(role == "unknown" ? "unk" : role == "padding" ? "pad" : role) + "_token";
    for (const Json* file : {&files.tokenizerConfig, &files.specialTokens})
      if (const std::string_view text = tokenText(at(*file, key)); !text.empty())
        if (const int32_t id = tokens.find(text); id != text::kNoToken)
          return id;
    std::vector<int64_t> ids;
    for (const Json* config : {&files.config, &at(files.config, "text_config")})
      appendIds(at(*config, key + "_id"), ids);
    return ids.empty() ? std::nullopt : std::optional(ids.front());
  }

  std::vector<int64_t> ends() const {
    std::vector<int64_t> ids;
    for (const Json* config : {&files.config, &at(files.config, "text_config"), &files.generation})
      appendIds(at(*config, "eos_token_id"), ids);
    return ids;
  }

private:
  const Companions& files;
  const TokenList& tokens;
};

/// Ids, rules and templates of `config`, whose kind is known. `tokens` may become others' kinds.
Result<void> complete(const std::string& folder, const Companions& files, TokenList& tokens, int32_t unknown,
                      text::TextConfig& config) {
  const Roles roles(files, tokens);
  SpecialTokenFacts facts;
  facts.bos = config.bos;
  facts.eos = config.eos;
  facts.unknown = unknown;
  facts.id = [&](std::string_view role) { return roles.find(role); };
  facts.ends = roles.ends();
  findSpecialTokens(facts, tokens, config);
  LLCUDA_RETURN_IF_ERROR(readHfTemplates(folder, files.tokenizerConfig, config));
  if (config.chatTemplate.empty())
    config.chatTemplate =
        text::builtinChatTemplate([&](std::string_view token) { return tokens.find(token) != text::kNoToken; });
  return {};
}

bool says(const Companions& files, const char* key) {
  return files.tokenizerConfig.contains(key);
}
bool adds(const Companions& files, const char* key, int32_t token) {
  return at(files.tokenizerConfig, key) == true && token != text::kNoToken;
}

/// A tokenizer.json, read or made.
struct TokenizerSource {
  std::string path;
  Json json;
  bool made = false;
  std::vector<AddedToken> further; ///< which the other files add
  std::vector<std::string> notes;
};

Result<TokenizerSource> readSource(const std::string& folder, const Companions& files) {
  TokenizerSource source;
  source.path = (fs::path(folder) / kTokenizer).string();
  LLCUDA_ASSIGN_OR_RETURN(source.json, readJsonFile(source.path, kTokenizerLimits));
  LLCUDA_ASSIGN_OR_RETURN(source.further, addedTokens(files));
  return source;
}

/// Texts that the files name as special.
std::vector<std::string> specialTexts(const Companions& files) {
  std::vector<std::string> texts;
  for (const Json* file : {&files.tokenizerConfig, &files.specialTokens})
    for (const auto& [key, value] : file->items())
      if (key.ends_with("_token") && !tokenText(value).empty())
        texts.emplace_back(tokenText(value));
      else if (key == "additional_special_tokens" && value.is_array())
        for (const Json& token : value) texts.emplace_back(tokenText(token));
  return texts;
}

Result<TokenizerSource> makeSource(const std::string& folder, const Companions& files) {
  TokenizerSource source;
  source.path = (fs::path(folder) / kVocabulary).string();
  source.made = true;
  LLCUDA_ASSIGN_OR_RETURN(Json vocabulary, readObject(folder, kVocabulary));
  LLCUDA_ASSIGN_OR_RETURN(const MappedFile merges, MappedFile::open((fs::path(folder) / kMerges).string()));
  LLCUDA_ASSIGN_OR_RETURN(source.further, addedTokens(files));
  const std::vector<std::string> special = specialTexts(files);
  for (const Json* tokens : {&std::as_const(vocabulary), &files.addedTokens})
    for (AddedToken& token : specialTokensOf(*tokens, special)) source.further.push_back(std::move(token));
  for (const auto& [content, id] : files.addedTokens.items())
    if (id.is_number_unsigned() && id.get<uint64_t>() <= INT32_MAX)
      source.further.push_back({id.get<int32_t>(), content});
  const std::string_view text(reinterpret_cast<const char*>(merges.bytes().data()), merges.bytes().size());
  Result<VocabMerges> made =
      tokenizerOfVocabAndMerges(std::move(vocabulary), text,
                                {.tokenizerClass = tokenText(at(files.tokenizerConfig, "tokenizer_class")),
                                 .addPrefixSpace = at(files.tokenizerConfig, "add_prefix_space") == true});
  if (!made)
    return makeError(made.error().code, source.path, ": ", made.error().message);
  source.json = std::move(made->tokenizer);
  if (made->uselessMerges != 0)
    source.notes.push_back(std::to_string(made->uselessMerges) +
                           " merges of merges.txt join or make what is no token and were left out");
  return source;
}

Result<Vocabulary> readTokenizer(const std::string& folder, const Companions& files) {
  LLCUDA_ASSIGN_OR_RETURN(TokenizerSource source,
                          holds(folder, kTokenizer) ? readSource(folder, files) : makeSource(folder, files));
  const std::string& path = source.path;
  Json& json = source.json;
  const auto inFile = [&](const Error& error) { return makeError(error.code, path, ": ", error.message); };
  const Result<bool> changed = addTokens(json, source.further);
  if (!changed)
    return inFile(changed.error());
  Result<TokenizerFile> tokenizer = readTokenizerFile(json);
  if (!tokenizer)
    return inFile(tokenizer.error());

  Vocabulary vocabulary;
  text::TextConfig& config = vocabulary.config;
  config.kind = tokenizer->kind;
  config.preTokenizer = source.made ? kMerges : kTokenizer;
  config.addSpacePrefix = tokenizer->stripsSpace;
  config.bos = tokenizer->before;
  config.eos = tokenizer->after;
  LLCUDA_RETURN_IF_ERROR(complete(folder, files, tokenizer->tokens, tokenizer->unknown, config));
  // Each key decides for its side: files of Qwen 3 Embedding say that no BOS is added, and have an EOS in the template.
  if (says(files, "add_bos_token")) {
    config.addBos = adds(files, "add_bos_token", config.bos);
  } else if ((config.addBos = tokenizer->before != text::kNoToken)) {
    config.bos = tokenizer->before;
  }
  if (says(files, "add_eos_token")) {
    config.addEos = adds(files, "add_eos_token", config.eos);
  } else if ((config.addEos = tokenizer->after != text::kNoToken)) {
    config.eos = tokenizer->after;
  }
  LLCUDA_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::open(path));
  vocabulary.tokenizerJson = *changed || source.made
                                 ? json.dump()
                                 : std::string(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  vocabulary.notes = std::move(source.notes);
  vocabulary.size = static_cast<uint32_t>(tokenizer->tokens.texts.size());
  return vocabulary;
}

/// The tokens that the files add behind those of a SentencePiece model.
Result<void> extend(TokenList& tokens, const Companions& files) {
  LLCUDA_ASSIGN_OR_RETURN(std::vector<AddedToken> added, addedTokens(files));
  for (const auto& [content, id] : files.addedTokens.items())
    if (id.is_number_unsigned() && id.get<uint64_t>() <= INT32_MAX)
      added.push_back({id.get<int32_t>(), content});
  std::ranges::stable_sort(added, {}, &AddedToken::id);
  for (const AddedToken& token : added) {
    const auto id = static_cast<size_t>(token.id);
    if (id > tokens.texts.size())
      return badInput("added token ", Quoted{token.content}, " has the id ", id, ", the one before it is ",
                      tokens.texts.size() - 1);
    if (id < tokens.texts.size())
      continue;
    tokens.texts.push_back(token.content);
    tokens.scores.push_back(0);
    tokens.kinds.push_back(token.special ? TokenKind::kControl : TokenKind::kUserDefined);
  }
  for (size_t id = 0; id < tokens.texts.size(); ++id)
    if (!tokens.ids.try_emplace(tokens.texts[id], static_cast<int32_t>(id)).second)
      return badInput("token ", id, " repeats ", Quoted{tokens.texts[id]});
  return {};
}

Result<Vocabulary> readSentencePiece(const std::string& folder, const Companions& files) {
  const std::string path = (fs::path(folder) / kSentencePiece).string();
  LLCUDA_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::open(path));
  Result<SentencePieceModel> model = readSentencePieceModel(file.bytes());
  if (!model)
    return makeError(model.error().code, path, ": ", model.error().message);
  TokenList& tokens = model->tokens;
  if (const Result<void> extended = extend(tokens, files); !extended)
    return makeError(extended.error().code, path, ": ", extended.error().message);

  Vocabulary vocabulary;
  text::TextConfig& config = vocabulary.config;
  config.kind = text::VocabularyKind::kSpm;
  config.preTokenizer = kSentencePiece;
  config.addSpacePrefix = model->addSpacePrefix;
  config.bos = model->bos;
  config.eos = model->eos;
  LLCUDA_RETURN_IF_ERROR(complete(folder, files, tokens, model->unknown, config));
  config.addBos = config.bos != text::kNoToken && at(files.tokenizerConfig, "add_bos_token") != false;
  config.addEos = adds(files, "add_eos_token", config.eos);
  vocabulary.tokenizerJson = spmTokenizerJson(tokens, config.unknown, config.addSpacePrefix, SpaceRule());
  vocabulary.size = static_cast<uint32_t>(tokens.texts.size());
  return vocabulary;
}

/// A token a line, the pieces of words of BERT.
Result<TokenList> readWords(const std::string& path) {
  LLCUDA_ASSIGN_OR_RETURN(const MappedFile file, MappedFile::open(path));
  std::string_view rest(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  TokenList tokens;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    if (tokens.texts.size() == kMaxWords)
      return badInput(path, ": has more than ", kMaxWords, " tokens");
    if (!text::isUtf8(line))
      return badInput(path, ": token ", tokens.texts.size(), " is not UTF-8");
    tokens.texts.emplace_back(line);
  }
  tokens.kinds.assign(tokens.texts.size(), TokenKind::kNormal);
  for (size_t id = 0; id < tokens.texts.size(); ++id)
    if (!tokens.ids.try_emplace(tokens.texts[id], static_cast<int32_t>(id)).second)
      return badInput(path, ": token ", id, " repeats ", Quoted{tokens.texts[id]});
  return tokens;
}

Result<Vocabulary> readWordPieces(const std::string& folder, const Companions& files) {
  const std::string path = (fs::path(folder) / kWords).string();
  LLCUDA_ASSIGN_OR_RETURN(TokenList tokens, readWords(path));
  // What a role's token is called where the files do not say it.
  const auto idOf = [&](const char* role, std::string_view usual) {
    for (const Json* file : {&files.tokenizerConfig, &files.specialTokens})
      if (const std::string_view text = tokenText(at(*file, std::string(role) + "_token")); !text.empty())
        return tokens.find(text);
    return tokens.find(usual);
  };
  Vocabulary vocabulary;
  text::TextConfig& config = vocabulary.config;
  config.kind = text::VocabularyKind::kWordPiece;
  config.preTokenizer = kWords;
  config.addSpacePrefix = true; // of what a text decodes to
  const int32_t before = idOf("cls", "[CLS]"), after = idOf("sep", "[SEP]"), unknown = idOf("unk", "[UNK]");
  for (const int32_t id : {before, after, unknown, idOf("pad", "[PAD]"), idOf("mask", "[MASK]")})
    if (id != text::kNoToken)
      tokens.kinds[static_cast<size_t>(id)] = TokenKind::kControl;
  if (before == text::kNoToken || after == text::kNoToken || unknown == text::kNoToken)
    return badInput(path, ": lacks one of [CLS], [SEP] and [UNK], or what tokenizer_config.json has in their place");
  LLCUDA_RETURN_IF_ERROR(complete(folder, files, tokens, unknown, config));
  config.bos = before;
  config.eos = after;
  config.addBos = config.addEos = true;
  vocabulary.tokenizerJson =
      wordPieceTokenizerJson(tokens, unknown, at(files.tokenizerConfig, "do_lower_case") != false);
  vocabulary.size = static_cast<uint32_t>(tokens.texts.size());
  return vocabulary;
}

} // namespace

bool holdsTokenizer(const std::string& folder) {
  return holds(folder, kTokenizer) || holds(folder, kSentencePiece) || holds(folder, kWords) ||
         (holds(folder, kVocabulary) && holds(folder, kMerges));
}

Result<Vocabulary> readHfVocabulary(const std::string& folder) {
  if (!holdsTokenizer(folder))
    return badInput(folder, ": holds neither ", kTokenizer, " nor ", kSentencePiece, " nor ", kWords, ", nor ",
                    kVocabulary, " with ", kMerges,
                    "; save the tokenizer there too, or give its folder as --tokenizer");
  LLCUDA_ASSIGN_OR_RETURN(const Companions files, readCompanions(folder));
  const bool isSentencePiece = !holds(folder, kTokenizer) && holds(folder, kSentencePiece);
  const bool isTokenizer = holds(folder, kTokenizer) || (holds(folder, kVocabulary) && holds(folder, kMerges));
  Result<Vocabulary> vocabulary = isSentencePiece ? readSentencePiece(folder, files)
                                  : isTokenizer   ? readTokenizer(folder, files)
                                                  : readWordPieces(folder, files);
  if (vocabulary)
    vocabulary->config.sampling = readSamplingDefaults(files.generation, vocabulary->notes);
  return vocabulary;
}

} // namespace llcuda::ingest
