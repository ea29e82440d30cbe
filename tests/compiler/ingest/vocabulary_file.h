// SPDX-License-Identifier: Apache-2.0
// A GGUF file that holds nothing but a vocabulary.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/ingest/gguf_tokens.h"
#include "tests/compiler/ingest/gguf_builder.h"

namespace llcuda::ingest {

struct VocabularyToken {
  std::string text;
  float score = 0;
  TokenKind kind = TokenKind::kNormal;
};

struct VocabularyFile {
  std::optional<std::string> model = "gpt2";
  std::optional<std::string> pre = "gpt-2";
  std::vector<VocabularyToken> tokens;
  std::optional<std::vector<std::string>> merges = std::vector<std::string>();
  std::vector<std::pair<std::string, uint32_t>> ids;      ///< `bos_token_id` and the like
  std::vector<std::pair<std::string, bool>> rules;        ///< `add_bos_token` and the like
  std::vector<std::pair<std::string, std::string>> texts; ///< any other key
  size_t missingScores = 0;                               ///< how many the list of scores is short of

  std::string bytes() const {
    const size_t count =
        3 + model.has_value() + pre.has_value() + merges.has_value() + ids.size() + rules.size() + texts.size();
    GgufBuilder file(0, static_cast<int64_t>(count));
    if (model)
      file.string("tokenizer.ggml.model", *model);
    if (pre)
      file.string("tokenizer.ggml.pre", *pre);
    file.array("tokenizer.ggml.tokens", GgufType::kString, tokens.size());
    for (const VocabularyToken& token : tokens) file.text(token.text);
    file.array("tokenizer.ggml.scores", GgufType::kF32, tokens.size() - missingScores);
    for (size_t i = 0; i + missingScores < tokens.size(); ++i) file.number(tokens[i].score);
    file.array("tokenizer.ggml.token_type", GgufType::kI32, tokens.size());
    for (const VocabularyToken& token : tokens) file.number(static_cast<int32_t>(token.kind));
    if (merges) {
      file.array("tokenizer.ggml.merges", GgufType::kString, merges->size());
      for (const std::string& merge : *merges) file.text(merge);
    }
    for (const auto& [key, id] : ids) file.u32("tokenizer.ggml." + key, id);
    for (const auto& [key, rule] : rules) file.key("tokenizer.ggml." + key, GgufType::kBool).number<uint8_t>(rule);
    for (const auto& [key, text] : texts) file.string(key, text);
    return file.pad().bytes;
  }
};

} // namespace llcuda::ingest
