// SPDX-License-Identifier: Apache-2.0
// The vocabulary of a GGUF file as what an engine holds: a tokenizer.json and a text config. Ids are those that
// llama.cpp gives for the same file.
#pragma once

#include "compiler/ingest/gguf_reader.h"
#include "compiler/ingest/vocabulary.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

/// Reads the `tokenizer.*` keys: SentencePiece BPE (`llama`), byte-level BPE (`gpt2`), raw UTF-8 BPE (`gemma4`), or no
/// vocabulary (`no_vocab`). Other kinds and unknown pre-tokenizers are unsupported by name; lists of different lengths,
/// repeated tokens, merges of what is no token and text that is not UTF-8 are bad input.
Result<Vocabulary> readVocabulary(const GgufFile& file);

} // namespace llcuda::ingest
