// SPDX-License-Identifier: Apache-2.0
// The token list of a GGUF vocabulary: texts, scores, kinds, and the tokens that have a meaning.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "compiler/ingest/gguf_reader.h"
#include "compiler/ingest/pre_tokenizers.h"
#include "runtime/base/result.h"
#include "runtime/text/text_config.h"

namespace llcuda::ingest {

/// Kinds of tokens, with their numbers in `tokenizer.ggml.token_type`.
enum class TokenKind : uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

struct TokenList {
  std::vector<std::string> texts;                                    ///< UTF-8, none empty, none twice
  std::vector<float> scores;                                         ///< as many, or none
  std::vector<TokenKind> kinds;                                      ///< as many
  std::vector<std::pair<std::string_view, std::string_view>> merges; ///< in the order of their rank
  std::unordered_map<std::string_view, int32_t> ids;                 ///< of `texts`

  int32_t find(std::string_view text) const {
    const auto found = ids.find(text);
    return found == ids.end() ? text::kNoToken : found->second;
  }
};

/// Reads `tokenizer.ggml.{tokens,scores,token_type,merges}`. Views in it last as long as the file and the list.
Result<TokenList> readTokens(const GgufFile& file, bool wantMerges);

/// Fills in the ids and the rules of BOS and EOS, from the keys of the file where it has them, else from what the kind of
/// vocabulary, the pre-tokenizer and the texts of the tokens say. Tokens that turn out to be control tokens become so in
/// `tokens.kinds`, whatever the file said.
Result<void> findSpecialTokens(const GgufFile& file, const PreTokenizer* preTokenizer, TokenList& tokens,
                               text::TextConfig& config);

} // namespace llcuda::ingest
