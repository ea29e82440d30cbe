// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/gguf_tokens.h"

#include <algorithm>

#include "runtime/text/utf8.h"

namespace llcuda::ingest {
namespace {

constexpr uint64_t kMaxTokens = 1 << 22;

Result<void> readTexts(const GgufFile& file, TokenList& list) {
  const GgufValue* value = file.find("tokenizer.ggml.tokens");
  if (!value)
    return badInput("tokenizer.ggml.tokens is missing");
  if (value->count() > kMaxTokens)
    return badInput("tokenizer.ggml.tokens has ", value->count(), " entries, at most ", kMaxTokens);
  const auto texts = value->asStrings();
  if (!texts || texts->empty())
    return badInput("tokenizer.ggml.tokens is not a list of strings");
  list.texts.reserve(texts->size());
  list.ids.reserve(texts->size());
  for (const std::string_view text : *texts) {
    const size_t id = list.texts.size();
    if (!text::isUtf8(text))
      return badInput("tokenizer.ggml.tokens[", id, "] is not UTF-8");
    list.texts.push_back(text.empty() ? "[EMPTY_" + std::to_string(id) + "]" : std::string(text));
    const auto [earlier, fresh] = list.ids.try_emplace(list.texts.back(), static_cast<int32_t>(id));
    if (!fresh)
      return badInput("tokenizer.ggml.tokens[", id, "] repeats token ", earlier->second);
  }
  return {};
}

Result<void> readScores(const GgufFile& file, TokenList& list) {
  const GgufValue* value = file.find("tokenizer.ggml.scores");
  if (!value)
    return {};
  if (value->type() != GgufType::kArray || value->count() < list.texts.size())
    return badInput("tokenizer.ggml.scores has ", value->count(), " entries for ", list.texts.size(), " tokens");
  list.scores.reserve(list.texts.size());
  for (size_t i = 0; i < list.texts.size(); ++i) {
    const auto score = value->doubleAt(i);
    if (!score || !(*score >= -1e30 && *score <= 1e30))
      return badInput("tokenizer.ggml.scores[", i, "] is not a finite number");
    list.scores.push_back(static_cast<float>(*score));
  }
  return {};
}

Result<void> readKinds(const GgufFile& file, TokenList& list) {
  list.kinds.assign(list.texts.size(), TokenKind::kNormal);
  const GgufValue* value = file.find("tokenizer.ggml.token_type");
  if (!value)
    return {};
  if (value->type() != GgufType::kArray || value->count() < list.texts.size())
    return badInput("tokenizer.ggml.token_type has ", value->count(), " entries for ", list.texts.size(), " tokens");
  for (size_t i = 0; i < list.texts.size(); ++i) {
    const auto kind = value->signedAt(i);
    if (!kind)
      return badInput("tokenizer.ggml.token_type is not a list of integers");
    if (*kind >= 1 && *kind <= 6)
      list.kinds[i] = static_cast<TokenKind>(*kind);
  }
  return {};
}

/// A merge is "left right": the first space after the first byte parts them. One that joins or makes no token never
/// comes to pass; it is counted and left out, as llama.cpp leaves it.
Result<void> readMerges(const GgufFile& file, TokenList& list) {
  const GgufValue* value = file.find("tokenizer.ggml.merges");
  const auto merges = value ? value->asStrings() : std::nullopt;
  if (!merges)
    return badInput("tokenizer.ggml.merges is ", value ? "not a list of strings" : "missing");
  std::string whole;
  for (size_t i = 0; i < merges->size(); ++i) {
    const std::string_view merge = (*merges)[i];
    const size_t space = std::min(merge.find(' ', 1), merge.size());
    const auto left = list.ids.find(merge.substr(0, space));
    const auto right = list.ids.find(merge.substr(std::min(space + 1, merge.size())));
    const bool joins = left != list.ids.end() && right != list.ids.end();
    if (joins)
      whole.assign(left->first).append(right->first);
    if (joins && list.ids.contains(whole))
      list.merges.emplace_back(left->first, right->first);
    else if (list.uselessMerges++ == 0)
      list.firstUselessMerge = i;
  }
  return {};
}

} // namespace

Result<TokenList> readTokens(const GgufFile& file, bool wantMerges) {
  TokenList list;
  LLCUDA_RETURN_IF_ERROR(readTexts(file, list));
  LLCUDA_RETURN_IF_ERROR(readScores(file, list));
  LLCUDA_RETURN_IF_ERROR(readKinds(file, list));
  if (wantMerges)
    LLCUDA_RETURN_IF_ERROR(readMerges(file, list));
  return list;
}

} // namespace llcuda::ingest
