// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/gguf_vocabulary.h"

#include <algorithm>
#include <cctype>

#include "compiler/ingest/gguf_tokens.h"
#include "compiler/ingest/sampling_defaults.h"
#include "compiler/ingest/tokenizer_json.h"
#include "runtime/text/chat_template.h"
#include "runtime/text/utf8.h"

namespace llcuda::ingest {
namespace {

constexpr std::string_view kTemplateKey = "tokenizer.chat_template";

Result<std::string> readText(const GgufFile& file, std::string_view key) {
  const GgufValue* value = file.find(key);
  if (!value)
    return std::string();
  const auto text = value->asString();
  if (!text || !text::isUtf8(*text))
    return badInput(key, " is not a UTF-8 string");
  return std::string(*text);
}

/// The templates of the file; where it has none, that of the family which the tokens show.
Result<void> readTemplates(const GgufFile& file, const TokenList& tokens, text::TextConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(config.chatTemplate, readText(file, kTemplateKey));
  for (const GgufEntry& entry : file.metadata()) {
    if (!entry.key.starts_with(kTemplateKey) || entry.key.substr(kTemplateKey.size(), 1) != ".")
      continue;
    LLCUDA_ASSIGN_OR_RETURN(std::string source, readText(file, entry.key));
    const std::string_view variant = entry.key.substr(kTemplateKey.size() + 1);
    if (!text::isUtf8(variant))
      return badInput("the name of a chat template is not UTF-8");
    config.namedTemplates[std::string(variant)] = std::move(source);
  }
  if (config.chatTemplate.empty())
    config.chatTemplate =
        text::builtinChatTemplate([&](std::string_view token) { return tokens.find(token) != text::kNoToken; });
  return {};
}

/// Phi-3's special tokens swallow the white space behind them; nothing but the model's name says that it is one.
Result<SpaceRule> readSpaceRule(const GgufFile& file) {
  const GgufValue* title = file.find("general.name"); // for people, so of any bytes
  std::string name(title && title->asString() ? *title->asString() : "");
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  SpaceRule rule;
  rule.stripAfter = name.find("phi-3") != std::string::npos || name.find("phi3") != std::string::npos;
  rule.exceptFor = {"<unk>", "<s>", "<|endoftext|>"};
  return rule;
}

Result<Vocabulary> readSpm(const GgufFile& file) {
  Vocabulary vocabulary;
  vocabulary.config.kind = text::VocabularyKind::kSpm;
  LLCUDA_ASSIGN_OR_RETURN(TokenList tokens, readTokens(file, /*wantMerges=*/false));
  tokens.scores.resize(tokens.texts.size());
  LLCUDA_RETURN_IF_ERROR(readSpecialTokens(file, nullptr, tokens, vocabulary.config));
  LLCUDA_RETURN_IF_ERROR(readTemplates(file, tokens, vocabulary.config));
  vocabulary.size = static_cast<uint32_t>(tokens.texts.size());
  LLCUDA_ASSIGN_OR_RETURN(const SpaceRule spaces, readSpaceRule(file));
  vocabulary.tokenizerJson =
      spmTokenizerJson(tokens, vocabulary.config.unknown, vocabulary.config.addSpacePrefix, spaces);
  return vocabulary;
}

/// Files write what begins a word behind an underline and what goes on with one as it is; names in brackets stand for
/// themselves.
Result<void> writeAsWordPieces(TokenList& tokens) {
  constexpr std::string_view kBegins = "\u2581";
  tokens.ids.clear();
  for (size_t id = 0; id < tokens.texts.size(); ++id) {
    std::string& text = tokens.texts[id];
    const bool isName = text.starts_with('[') && text.ends_with(']');
    if (text.starts_with(kBegins))
      text.erase(0, kBegins.size());
    else if (!isName && tokens.kinds[id] == TokenKind::kNormal)
      text.insert(0, "##");
  }
  for (size_t id = 0; id < tokens.texts.size(); ++id)
    if (const auto [earlier, fresh] = tokens.ids.try_emplace(tokens.texts[id], static_cast<int32_t>(id)); !fresh)
      return badInput("tokenizer.ggml.tokens[", id, "] repeats token ", earlier->second);
  return {};
}

/// Files do not say it: a vocabulary that was made of text in small letters has no other ones.
bool isLowerCase(const TokenList& tokens) {
  for (size_t id = 0; id < tokens.texts.size(); ++id) {
    const std::string& text = tokens.texts[id];
    if (tokens.kinds[id] == TokenKind::kNormal && !text.starts_with('[') &&
        std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; }))
      return false;
  }
  return true;
}

Result<Vocabulary> readWordPiece(const GgufFile& file) {
  Vocabulary vocabulary;
  vocabulary.config.kind = text::VocabularyKind::kWordPiece;
  LLCUDA_ASSIGN_OR_RETURN(TokenList tokens, readTokens(file, /*wantMerges=*/false));
  LLCUDA_RETURN_IF_ERROR(writeAsWordPieces(tokens));
  LLCUDA_RETURN_IF_ERROR(readSpecialTokens(file, nullptr, tokens, vocabulary.config));
  LLCUDA_RETURN_IF_ERROR(readTemplates(file, tokens, vocabulary.config));
  if (vocabulary.config.unknown == text::kNoToken)
    return badInput("tokenizer.ggml.unknown_token_id names no token, which words that are not known become");
  vocabulary.size = static_cast<uint32_t>(tokens.texts.size());
  vocabulary.config.addSpacePrefix = true; // of what a text decodes to
  vocabulary.tokenizerJson = wordPieceTokenizerJson(tokens, vocabulary.config.unknown, isLowerCase(tokens));
  return vocabulary;
}

/// A list of bytes; empty where the file has none.
Result<std::vector<std::byte>> readBytes(const GgufFile& file, std::string_view key) {
  constexpr uint64_t kMost = 16 << 20;
  const GgufValue* value = file.find(key);
  std::vector<std::byte> bytes;
  if (!value)
    return bytes;
  if (value->type() != GgufType::kArray || value->count() > kMost)
    return badInput(key, " is not a list of at most ", kMost, " bytes");
  bytes.reserve(value->count());
  for (size_t i = 0; i < value->count(); ++i) {
    const auto byte = value->signedAt(i); // of either sign, by the converter
    if (!byte || *byte < -128 || *byte > 255)
      return badInput(key, " is not a list of bytes");
    bytes.push_back(static_cast<std::byte>(*byte));
  }
  return bytes;
}

Result<Vocabulary> readUnigram(const GgufFile& file) {
  Vocabulary vocabulary;
  vocabulary.config.kind = text::VocabularyKind::kUnigram;
  LLCUDA_ASSIGN_OR_RETURN(TokenList tokens, readTokens(file, /*wantMerges=*/false));
  if (tokens.scores.empty())
    return badInput("tokenizer.ggml.scores is missing");
  LLCUDA_RETURN_IF_ERROR(readSpecialTokens(file, nullptr, tokens, vocabulary.config));
  LLCUDA_RETURN_IF_ERROR(readTemplates(file, tokens, vocabulary.config));
  for (const char* key : {"tokenizer.ggml.add_space_prefix", "tokenizer.ggml.remove_extra_whitespaces"})
    if (const GgufValue* value = file.find(key); value && value->asBool() == false)
      return unsupported(key, " is false, which no vocabulary of this kind that is supported says");
  if (vocabulary.config.unknown == text::kNoToken)
    return badInput("tokenizer.ggml.unknown_token_id names no token, which characters that are not known become");
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<std::byte> map, readBytes(file, "tokenizer.ggml.precompiled_charsmap"));
  vocabulary.size = static_cast<uint32_t>(tokens.texts.size());
  vocabulary.config.addSpacePrefix = true; // of what a text decodes to
  vocabulary.tokenizerJson = unigramTokenizerJson(tokens, vocabulary.config.unknown, map);
  return vocabulary;
}

Result<Vocabulary> readBpe(const GgufFile& file, const std::string& preTokenizerName) {
  const PreTokenizer* preTokenizer = findPreTokenizer(preTokenizerName);
  if (!preTokenizer)
    return unsupported("tokenizer.ggml.pre is \"", preTokenizerName, "\", an unknown pre-tokenizer");
  Vocabulary vocabulary;
  vocabulary.config.kind = text::VocabularyKind::kBpe;
  vocabulary.config.preTokenizer = preTokenizerName.empty() ? "default" : preTokenizerName;
  LLCUDA_ASSIGN_OR_RETURN(TokenList tokens, readTokens(file, /*wantMerges=*/true));
  LLCUDA_RETURN_IF_ERROR(readSpecialTokens(file, preTokenizer, tokens, vocabulary.config));
  LLCUDA_RETURN_IF_ERROR(readTemplates(file, tokens, vocabulary.config));
  vocabulary.size = static_cast<uint32_t>(tokens.texts.size());
  LLCUDA_ASSIGN_OR_RETURN(const SpaceRule spaces, readSpaceRule(file));
  vocabulary.tokenizerJson = bpeTokenizerJson(tokens, *preTokenizer, spaces);
  if (tokens.uselessMerges != 0)
    vocabulary.notes.push_back(std::to_string(tokens.uselessMerges) +
                               " merges join or make what is no token and were left out, the first is merge " +
                               std::to_string(tokens.firstUselessMerge));
  return vocabulary;
}

} // namespace

Result<Vocabulary> readVocabulary(const GgufFile& file) {
  LLCUDA_ASSIGN_OR_RETURN(const std::string model, readText(file, "tokenizer.ggml.model"));
  LLCUDA_ASSIGN_OR_RETURN(const std::string preTokenizer, readText(file, "tokenizer.ggml.pre"));
  if (model == "no_vocab" || model == "none") {
    Vocabulary none;
    none.config.sampling = readSamplingDefaults(file, none.notes);
    return none;
  }
  Result<Vocabulary> vocabulary = model == "llama"    ? readSpm(file)
                                  : model == "gpt2"   ? readBpe(file, preTokenizer)
                                  : model == "gemma4" ? readBpe(file, "gemma4")
                                  : model == "bert"   ? readWordPiece(file)
                                  : model == "t5"     ? readUnigram(file)
                                  : model.empty()
                                      ? badInput("tokenizer.ggml.model is missing")
                                      : unsupported("tokenizer.ggml.model is \"", model,
                                                    "\"; llama, gpt2, gemma4, bert, t5 and no_vocab are supported");
  if (vocabulary)
    vocabulary->config.sampling = readSamplingDefaults(file, vocabulary->notes);
  if (vocabulary && vocabulary->config.addBos && vocabulary->config.bos == text::kNoToken)
    return badInput("tokenizer.ggml.add_bos_token is true, but no token is BOS");
  if (vocabulary && vocabulary->config.addEos && vocabulary->config.eos == text::kNoToken)
    return badInput("tokenizer.ggml.add_eos_token is true, but no token is EOS");
  return vocabulary;
}

} // namespace llcuda::ingest
