// SPDX-License-Identifier: Apache-2.0
// The token list of a GGUF vocabulary, and the tokens in it that have a meaning.
#pragma once

#include "compiler/ingest/gguf_reader.h"
#include "compiler/ingest/pre_tokenizers.h"
#include "compiler/ingest/token_list.h"
#include "runtime/base/result.h"
#include "runtime/text/text_config.h"

namespace llcuda::ingest {

/// Reads `tokenizer.ggml.{tokens,scores,token_type,merges}`; no text is empty or comes twice. Views in it last as long
/// as the file and the list.
Result<TokenList> readTokens(const GgufFile& file, bool wantMerges);

/// Fills in the ids and the rules of BOS and EOS, from the keys of the file where it has them, else from what the kind
/// of vocabulary, the pre-tokenizer and the texts of the tokens say (special_tokens.h).
Result<void> readSpecialTokens(const GgufFile& file, const PreTokenizer* preTokenizer, TokenList& tokens,
                               text::TextConfig& config);

} // namespace llcuda::ingest
