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
  const bool spm = config.kind == text::VocabularyKind::kSpm;
  // What a byte-level vocabulary without keys has always meant: token 11, the end of text of the first such files.
  constexpr int32_t kOldEnd = 11;
  const bool raw = preTokenizer && !preTokenizer->byteLevel;
  const int32_t oldEnd = raw ? text::kNoToken : kOldEnd;
  const bool hasBos = !preTokenizer || preTokenizer->hasBos;

  SpecialTokenFacts facts;
  facts.bos = spm ? 1 : hasBos ? oldEnd : text::kNoToken;
  facts.eos = spm ? 2 : oldEnd;
  facts.unknown = spm ? 0 : text::kNoToken;
  facts.id = [&](std::string_view role) {
    const GgufValue* value = file.find("tokenizer.ggml." + std::string(role) + "_token_id");
    return value ? value->asSigned() : std::nullopt;
  };
  findSpecialTokens(facts, tokens, config);

  const bool addBos = spm || (preTokenizer && preTokenizer->addBos);
  LLCUDA_ASSIGN_OR_RETURN(config.addBos, readRule(file, "tokenizer.ggml.add_bos_token", addBos));
  LLCUDA_ASSIGN_OR_RETURN(config.addEos, readRule(file, "tokenizer.ggml.add_eos_token", false));
  LLCUDA_ASSIGN_OR_RETURN(config.addSpacePrefix, readRule(file, "tokenizer.ggml.add_space_prefix", spm));
  if (raw)
    config.addBos = config.bos != text::kNoToken;
  return {};
}

} // namespace llcuda::ingest
