// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/gguf_vocabulary_writer.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/ingest/pre_tokenizers.h"
#include "compiler/ingest/tokenizer_file.h"
#include "compiler/ingest/tokenizer_json.h"
#include "runtime/text/tokenizer.h"

namespace llcuda::ingest {

const std::string_view kTokenizerProbe =
    "Hello HELLO hElLo camelCaseWord snake_case_word it's IT'S I'll I'LL you've we're he'd don't 'tis "
    "1 12 123 1234 12345 123456789 3.14 1,000,000 0x1F \u0663\u0664 \u2167 x2y "
    "\u00fcber na\u00efve e\u0301t\u00e9 \u0130stanbul \u0393\u03b5\u03b9\u03ac "
    "\u041f\u0440\u0438\u0432\u0435\u0442\u043c\u0438\u0440 \u0939\u093f\u0928\u094d\u0926\u0940 "
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u4f60\u597d\u4e16\u754c3\u4e2a \u3053\u3093\u306b\u3061\u306f\u30ab\u30ca "
    "\uc548\ub155\ud558\uc138\uc694 \u0645\u0631\u062d\u0628\u0627 \U0001F600\U0001F468\u200d\U0001F469 "
    "...!?!! ==> -> :: // #include <a.h> {\"k\": [1, 2]} $5 & 50% a+b=c ~^|` \u00a1\u00bf\u2026\u201cq\u201d\u2014\n"
    "  two   three    four\ttab\t\ttabs \n\n\n after\r\n    indented\n \n\tx = y\n   ";

namespace {

using Json = nlohmann::json;

/// One of each rule, by the name that converters write; compiler/ingest/pre_tokenizers.cpp has their aliases.
constexpr const char* kPreTokenizers[] = {"llama-bpe",   "smaug-bpe", "qwen2",      "smollm",       "gpt-2",
                                          "tekken",      "gpt-4o",    "qwen35",     "deepseek-llm", "deepseek-coder",
                                          "deepseek-v3", "falcon",    "seed-coder", "superbpe",     "viking"};

std::string textOf(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

/// The list and the rest of a tokenizer.json, as GGUF files have them.
struct Tokens {
  TokenList list;
  int32_t unknown = text::kNoToken;
  std::vector<std::string> merges; ///< "left right"
  bool wholeWords = false;         ///< of a merge table: a word that is a token is not cut
};

/// A merge as files have it, a text or a pair.
Result<std::pair<std::string, std::string>> mergeOf(const Json& merge) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
    return std::pair(merge[0].get<std::string>(), merge[1].get<std::string>());
  const std::string text = textOf(merge);
  const size_t space = text.find(' ', 1);
  if (space == text.npos)
    return badInput("a merge of tokenizer.json is no pair of tokens");
  return std::pair(text.substr(0, space), text.substr(space + 1));
}

Result<void> readMerges(const Json& model, Tokens& tokens) {
  const auto found = model.find("merges");
  if (found == model.end() || !found->is_array())
    return badInput("tokenizer.json has no merges");
  for (const Json& merge : *found) {
    LLCUDA_ASSIGN_OR_RETURN(const auto pair, mergeOf(merge));
    const auto left = tokens.list.ids.find(pair.first), right = tokens.list.ids.find(pair.second);
    if (left == tokens.list.ids.end() || right == tokens.list.ids.end())
      continue; // it never comes to pass
    tokens.list.merges.emplace_back(left->first, right->first);
    tokens.merges.push_back(pair.first + " " + pair.second);
  }
  return {};
}

/// SentencePiece merges what makes the token of the highest score, a tokenizer.json what stands first: the scores are
/// the places of the merges. What no merge makes comes after all of them.
void scoreByMerges(Tokens& tokens) {
  tokens.list.scores.assign(tokens.list.texts.size(), -static_cast<float>(tokens.list.merges.size()) - 1);
  std::vector<bool> scored(tokens.list.texts.size());
  for (size_t i = 0; i < tokens.list.merges.size(); ++i) {
    const auto& [left, right] = tokens.list.merges[i];
    const int32_t made = tokens.list.find(std::string(left) + std::string(right));
    if (made == text::kNoToken || scored[static_cast<size_t>(made)])
      continue;
    scored[static_cast<size_t>(made)] = true;
    tokens.list.scores[static_cast<size_t>(made)] = -static_cast<float>(i);
  }
}

/// What a folder's tokenizer.model became: scores stand beside the texts.
Result<void> readScored(const Json& json, Tokens& tokens) {
  for (const Json& token : json.at("model").at("vocab")) {
    tokens.list.texts.push_back(token[0].get<std::string>());
    tokens.list.scores.push_back(token[1].get<float>());
  }
  tokens.list.kinds.assign(tokens.list.texts.size(), TokenKind::kNormal);
  for (const Json& added : json.at("added_tokens"))
    tokens.list.kinds[added.at("id").get<size_t>()] =
        added.at("special").get<bool>() ? TokenKind::kControl : TokenKind::kUserDefined;
  return {};
}

bool isByteToken(const std::string& text) {
  return text.size() == 6 && text.starts_with("<0x") && text.ends_with(">") && std::isxdigit(text[3]) != 0 &&
         std::isxdigit(text[4]) != 0;
}

Result<Tokens> readTokens(const Vocabulary& vocabulary) {
  const Json json = Json::parse(vocabulary.tokenizerJson, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) // what is in an engine's or a folder's vocabulary was read before
    return internalError("the vocabulary's tokenizer.json is no JSON object");
  Tokens tokens;
  const bool spm = vocabulary.config.kind == text::VocabularyKind::kSpm;
  if (textOf(json.at("model").value("type", Json())) == "ScoredBPE") {
    LLCUDA_RETURN_IF_ERROR(readScored(json, tokens));
  } else {
    LLCUDA_ASSIGN_OR_RETURN(TokenizerFile file, readTokenizerFile(json));
    tokens.list = std::move(file.tokens);
    tokens.wholeWords = json.at("model").value("ignore_merges", false);
    LLCUDA_RETURN_IF_ERROR(readMerges(json.at("model"), tokens));
    if (spm) {
      scoreByMerges(tokens);
      tokens.merges.clear(); // which the scores say
    }
  }
  tokens.unknown = vocabulary.config.unknown;
  for (size_t id = 0; spm && id < tokens.list.texts.size(); ++id)
    if (isByteToken(tokens.list.texts[id]))
      tokens.list.kinds[id] = TokenKind::kByte;
  if (spm && tokens.unknown != text::kNoToken)
    tokens.list.kinds[static_cast<size_t>(tokens.unknown)] = TokenKind::kUnknown;
  return tokens;
}

/// A token for each row of the embedding.
Result<void> fill(Tokens& tokens, uint32_t rows) {
  TokenList& list = tokens.list;
  if (list.texts.size() > rows)
    return badInput("the vocabulary has ", list.texts.size(), " tokens, the embedding ", rows, " rows");
  list.ids.clear(); // of views that move
  list.merges.clear();
  if (!list.scores.empty())
    list.scores.resize(rows, -1e6F);
  list.texts.resize(rows);
  list.kinds.resize(rows, TokenKind::kUnused);
  for (size_t id = 0; id < rows; ++id)
    if (list.texts[id].empty()) {
      list.texts[id] = "[PAD" + std::to_string(id) + "]";
      list.kinds[id] = TokenKind::kUnused;
    }
  for (size_t id = 0; id < rows; ++id)
    if (const auto [earlier, fresh] = list.ids.try_emplace(list.texts[id], static_cast<int32_t>(id)); !fresh)
      return badInput("tokens ", earlier->second, " and ", id, " have the same text");
  for (const std::string& merge : tokens.merges) {
    const size_t space = merge.find(' ', 1);
    const std::string_view text = merge;
    const auto left = list.ids.find(text.substr(0, space)), right = list.ids.find(text.substr(space + 1));
    if (left == list.ids.end() || right == list.ids.end())
      return unsupported("a token that is merged has a space in it, which merges of GGUF files cannot say");
    list.merges.emplace_back(left->first, right->first);
  }
  return {};
}

using Ids = std::vector<int32_t>;

/// The probe's ids; nothing where the tokenizer is none.
Result<Ids> probeIds(const std::string& json, const text::TextConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer tokenizer, text::Tokenizer::open(json, config));
  return tokenizer.encode(kTokenizerProbe, {.addSpecial = false, .parseSpecial = false});
}

/// The name of the pre-tokenizer with which a GGUF file gives `wanted`.
Result<std::string> preTokenizerOf(const Tokens& tokens, const Ids& wanted, const text::TextConfig& config) {
  for (const char* name : kPreTokenizers) {
    const PreTokenizer& rule = *findPreTokenizer(name);
    if (rule.wholeWords != tokens.wholeWords)
      continue;
    const Result<Ids> ids = probeIds(bpeTokenizerJson(tokens.list, rule, SpaceRule()), config);
    if (ids && *ids == wanted)
      return std::string(name);
  }
  return unsupported("no pre-tokenizer of GGUF files cuts a text as the vocabulary's tokenizer.json does");
}

Result<void> addModel(const Vocabulary& vocabulary, const Tokens& tokens, GgufHeader& header) {
  const text::TextConfig& config = vocabulary.config;
  LLCUDA_ASSIGN_OR_RETURN(const Ids wanted, probeIds(vocabulary.tokenizerJson, config));
  if (config.kind == text::VocabularyKind::kBpe) {
    LLCUDA_ASSIGN_OR_RETURN(const std::string pre, preTokenizerOf(tokens, wanted, config));
    header.addString("tokenizer.ggml.model", "gpt2");
    header.addString("tokenizer.ggml.pre", pre);
    return {};
  }
  LLCUDA_ASSIGN_OR_RETURN(
      const Ids ids,
      probeIds(spmTokenizerJson(tokens.list, tokens.unknown, config.addSpacePrefix, SpaceRule()), config));
  if (ids != wanted)
    return unsupported("the scores of a GGUF file do not cut a text as the vocabulary's tokenizer.json does");
  header.addString("tokenizer.ggml.model", "llama");
  header.addString("tokenizer.ggml.pre", "default");
  return {};
}

void addTokens(const Tokens& tokens, GgufHeader& header) {
  std::vector<int32_t> kinds;
  for (const TokenKind kind : tokens.list.kinds) kinds.push_back(static_cast<int32_t>(kind));
  header.addList("tokenizer.ggml.tokens", std::span(tokens.list.texts));
  header.addList("tokenizer.ggml.token_type", std::span<const int32_t>(kinds));
  if (tokens.list.scores.empty())
    header.addList("tokenizer.ggml.merges", std::span(tokens.merges));
  else
    header.addList("tokenizer.ggml.scores", std::span<const float>(tokens.list.scores));
}

void addRules(const text::TextConfig& config, GgufHeader& header) {
  const std::pair<const char*, int32_t> roles[] = {
      {"bos", config.bos},         {"eos", config.eos},         {"eot", config.eot},
      {"unknown", config.unknown}, {"padding", config.padding},
  };
  for (const auto& [role, id] : roles)
    if (id != text::kNoToken)
      header.addU32("tokenizer.ggml." + std::string(role) + "_token_id", static_cast<uint32_t>(id));
  header.addBool("tokenizer.ggml.add_bos_token", config.addBos);
  header.addBool("tokenizer.ggml.add_eos_token", config.addEos);
  header.addBool("tokenizer.ggml.add_space_prefix", config.addSpacePrefix);
}

void addTemplates(const text::TextConfig& config, GgufHeader& header) {
  if (!config.chatTemplate.empty())
    header.addString("tokenizer.chat_template", config.chatTemplate);
  std::vector<std::string> names;
  for (const auto& [name, source] : config.namedTemplates) {
    header.addString("tokenizer.chat_template." + name, source);
    names.push_back(name);
  }
  if (!names.empty())
    header.addList("tokenizer.chat_templates", std::span<const std::string>(names));
}

void addSampling(const text::SamplingDefaults& sampling, GgufHeader& header) {
  for (const text::SamplingRule& rule : text::samplingRules())
    if (const auto found = sampling.numbers.find(rule.name); rule.ggufKey && found != sampling.numbers.end())
      header.addF32(rule.ggufKey, static_cast<float>(found->second));
}

} // namespace

Result<void> addVocabulary(const Vocabulary& vocabulary, uint32_t rows, GgufHeader& header) {
  const text::VocabularyKind kind = vocabulary.config.kind;
  if (kind == text::VocabularyKind::kNone) {
    header.addString("tokenizer.ggml.model", "no_vocab");
    return {};
  }
  if (kind != text::VocabularyKind::kBpe && kind != text::VocabularyKind::kSpm)
    return unsupported("a vocabulary of the kind ", text::name(kind), " is not written; bpe and spm are");
  LLCUDA_ASSIGN_OR_RETURN(Tokens tokens, readTokens(vocabulary));
  LLCUDA_RETURN_IF_ERROR(fill(tokens, rows));
  LLCUDA_RETURN_IF_ERROR(addModel(vocabulary, tokens, header));
  addTokens(tokens, header);
  addRules(vocabulary.config, header);
  addTemplates(vocabulary.config, header);
  addSampling(vocabulary.config.sampling, header);
  return {};
}

} // namespace llcuda::ingest
