// SPDX-License-Identifier: Apache-2.0
// Writes a tokenizer.json, the format that runtime/text reads.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/ingest/pre_tokenizers.h"
#include "compiler/ingest/token_list.h"

namespace llcuda::ingest {

/// What special tokens do with the space around them; files do not say it, their models' names do.
struct SpaceRule {
  bool stripAfter = false; ///< a special token takes the white space after it along
  std::vector<std::string_view> exceptFor;
};

/// SentencePiece BPE over scores.
std::string spmTokenizerJson(const TokenList& tokens, int32_t unknown, bool addSpacePrefix, const SpaceRule& spaces);

/// The longest pieces of words, of the texts that files of BERT have: `##` in front of what goes on with a word.
/// `lowerCase`: the vocabulary is of text in small letters without accents.
std::string wordPieceTokenizerJson(const TokenList& tokens, int32_t unknown, bool lowerCase);

/// The likeliest pieces by the tokens' scores, as SentencePiece cuts a text. `characterMap` says which characters
/// become which before, as its models hold it; white space parts words, each of which begins with an underline.
std::string unigramTokenizerJson(const TokenList& tokens, int32_t unknown, std::span<const std::byte> characterMap);

/// BPE over merges, byte-level or of raw UTF-8 as `preTokenizer` says.
std::string bpeTokenizerJson(const TokenList& tokens, const PreTokenizer& preTokenizer, const SpaceRule& spaces);

} // namespace llcuda::ingest
