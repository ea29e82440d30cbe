// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/gguf_tokens.h"
#include "compiler/ingest/special_tokens.h"

namespace llcuda::ingest {
namespace {

Result<bool> readRule(const GgufFile& file, std::string_view key, bool otherwise) {
  const GgufValue* value = file.find(key);
  if (!value)
    return otherwise;
  const auto rule = value->asBool();
  if (!rule)
    return badInput(key, " is not true or false");
  return *rule;
}

} // namespace

Result<void> readSpecialTokens(const GgufFile& file, const PreTokenizer* preTokenizer, TokenList& tokens,
                               text::TextConfig& config) {
  const bool spm = config.kind == text::VocabularyKind::kSpm, unigram = config.kind == text::VocabularyKind::kUnigram;
  const bool words = config.kind == text::VocabularyKind::kWordPiece;
  // What a byte-level vocabulary without keys has always meant: token 11, the end of text of the first such files.
  constexpr int32_t kOldEnd = 11;
  const bool raw = preTokenizer && !preTokenizer->byteLevel;
  const int32_t oldEnd = raw ? text::kNoToken : kOldEnd;
  const bool hasBos = !preTokenizer || preTokenizer->hasBos;

  SpecialTokenFacts facts;
  facts.bos = spm ? 1 : unigram || !hasBos ? text::kNoToken : oldEnd;
  facts.eos = spm ? 2 : unigram ? 1 : oldEnd; // the latter as T5 has them
  facts.unknown = spm ? 0 : unigram ? 2 : text::kNoToken;
  facts.id = [&](std::string_view role) -> std::optional<int64_t> {
    // Texts of BERT stand between the first two; the second is spelled so.
    const std::string_view own = !words ? "" : role == "bos" ? "cls" : role == "eos" ? "seperator" : "";
    for (const std::string_view name : {own, role})
      if (const GgufValue* value = file.find("tokenizer.ggml." + std::string(name) + "_token_id"))
        return value->asSigned();
    return std::nullopt;
  };
  if (words)
    facts.bos = 101, facts.eos = 102, facts.unknown = 100; // of the first such vocabulary
  findSpecialTokens(facts, tokens, config);

  const bool addBos = spm || words || (preTokenizer && preTokenizer->addBos);
  LLCUDA_ASSIGN_OR_RETURN(config.addBos, readRule(file, "tokenizer.ggml.add_bos_token", addBos));
  LLCUDA_ASSIGN_OR_RETURN(config.addEos, readRule(file, "tokenizer.ggml.add_eos_token", words || unigram));
  LLCUDA_ASSIGN_OR_RETURN(config.addSpacePrefix, readRule(file, "tokenizer.ggml.add_space_prefix", spm));
  if (raw)
    config.addBos = config.bos != text::kNoToken;
  return {};
}

} // namespace llcuda::ingest
