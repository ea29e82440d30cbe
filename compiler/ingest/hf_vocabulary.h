// SPDX-License-Identifier: Apache-2.0
// The vocabulary of a Hugging Face folder as what an engine holds. Ids are those that the `tokenizers` library gives
// for the same folder.
#pragma once

#include <string>

#include "compiler/ingest/vocabulary.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

/// Reads tokenizer.json, tokenizer.model where there is none, else vocab.json and merges.txt, with what
/// tokenizer_config.json, special_tokens_map.json, added_tokens.json, config.json, generation_config.json and the files
/// of chat templates add; only the first is needed. BOS and EOS are added as the post-processor does, or as
/// `add_bos_token` and `add_eos_token` say where they are there. Every token that a file calls EOS ends an answer, and
/// those that are known by their text.
Result<Vocabulary> readHfVocabulary(const std::string& folder);

/// True for a folder that holds a tokenizer that readHfVocabulary() may read.
bool holdsTokenizer(const std::string& folder);

} // namespace llcuda::ingest
