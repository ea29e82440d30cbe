// SPDX-License-Identifier: Apache-2.0
// A vocabulary as the keys of a GGUF file: the way back from gguf_vocabulary.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "compiler/ingest/gguf_writer.h"
#include "compiler/ingest/vocabulary.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

/// Writes `tokenizer.*` and `general.sampling.*`, with a token for each of `rows` rows of the embedding: those that the
/// vocabulary lacks are unused. Which pre-tokenizer of GGUF a byte-level vocabulary has is found by kTokenizerProbe.
/// kUnsupported: another kind than `none`, byte-level BPE and SentencePiece BPE; a vocabulary whose ids for the probe
/// no GGUF file gives. kBadInput: more tokens than rows.
Result<void> addVocabulary(const Vocabulary& vocabulary, uint32_t rows, GgufHeader& header);

/// A text that tokenizers of different rules cut into different tokens: words in all cases, contractions, numbers of
/// every length, scripts with and without spaces, marks, symbols, runs of white space.
extern const std::string_view kTokenizerProbe;

} // namespace llcuda::ingest
