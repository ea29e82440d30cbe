// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/ingest/vocabulary.h"
#include "runtime/base/result.h"
#include "runtime/schema/engine_generated.h"

namespace llcuda::pipeline {

/// What an engine keeps of a model's vocabulary.
struct TextSegment {
  std::string tokenizer;                        ///< tokenizer.json; empty without a vocabulary
  std::string config;                           ///< JSON of runtime/text/text_config.h
  std::vector<int32_t> golden;                  ///< tokens of kGoldenText; empty without a vocabulary
  std::vector<std::vector<int32_t>> prompts;    ///< tokens of kGoldenPrompts; empty without a vocabulary
  std::optional<fb::TokenizerVectorsT> vectors; ///< none without a vocabulary
  std::vector<std::string> warnings;            ///< chat templates that cannot be read
};

/// For a model whose embedding table has `rows` rows: a tokenizer with more tokens than that is kBadInput, unless those
/// without a row are special ones, of another part of the model.
Result<TextSegment> textSegment(ingest::Vocabulary vocabulary, uint32_t rows);

/// The tokens of the golden forward pass: of the text, or spread ids; at most `context` of them.
std::vector<int32_t> goldenTokens(const TextSegment& text, uint32_t vocabulary, uint32_t context);

} // namespace llcuda::pipeline
