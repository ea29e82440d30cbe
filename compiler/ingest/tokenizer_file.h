// SPDX-License-Identifier: Apache-2.0
// What a tokenizer.json says besides how text is cut into tokens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "compiler/ingest/token_list.h"
#include "runtime/base/result.h"
#include "runtime/text/text_config.h"

namespace llcuda::ingest {

/// A token that files beside the tokenizer.json add to it.
struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool special = false;
  bool stripBefore = false, stripAfter = false; ///< takes the white space around it along
  bool normalized = false;
};

struct TokenizerFile {
  text::VocabularyKind kind = text::VocabularyKind::kBpe;
  TokenList tokens;                ///< no scores and merges; an id that no token has is an empty text
  int32_t before = text::kNoToken; ///< put before a text by the post-processor
  int32_t after = text::kNoToken;  ///< and after it
  int32_t unknown = text::kNoToken;
  bool stripsSpace = false; ///< decoding takes one space off the beginning
};

/// Puts those of `further` that `tokenizer` lacks among its added tokens; true when there were any. One whose id
/// another token has is bad input.
Result<bool> addTokens(nlohmann::json& tokenizer, const std::vector<AddedToken>& further);

/// Reads vocabulary, added tokens, post-processor and decoder. A model that is neither BPE nor WordPiece nor Unigram
/// and a post-processor that puts more than one token at a side are unsupported by name.
Result<TokenizerFile> readTokenizerFile(const nlohmann::json& tokenizer);

} // namespace llcuda::ingest
