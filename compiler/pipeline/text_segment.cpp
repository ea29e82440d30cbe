// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/text_segment.h"

#include <algorithm>

#include "compiler/pipeline/golden.h"
#include "compiler/pipeline/tokenizer_texts.h"
#include "runtime/text/tokenizer.h"

namespace llcuda::pipeline {

Result<TextSegment> textSegment(ingest::Vocabulary vocabulary) {
  TextSegment segment;
  segment.config = text::toJson(vocabulary.config);
  segment.tokenizer = std::move(vocabulary.tokenizerJson);
  if (vocabulary.config.kind == text::VocabularyKind::kNone)
    return segment;
  LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer tokenizer,
                          text::Tokenizer::open(segment.tokenizer, std::move(vocabulary.config)));
  LLCUDA_ASSIGN_OR_RETURN(segment.golden, tokenizer.encode(kGoldenText));
  for (const std::string_view prompt : kGoldenPrompts) {
    LLCUDA_ASSIGN_OR_RETURN(std::vector<int32_t> tokens, tokenizer.encode(prompt));
    segment.prompts.push_back(std::move(tokens));
  }
  LLCUDA_ASSIGN_OR_RETURN(segment.vectors, tokenizerVectors(tokenizer));
  return segment;
}

std::vector<int32_t> goldenTokens(const TextSegment& text, uint32_t vocabulary, uint32_t context) {
  const size_t count = std::min<size_t>(kGoldenTokens, context);
  if (text.golden.empty())
    return goldenIds(count, vocabulary);
  return {text.golden.begin(), text.golden.begin() + static_cast<std::ptrdiff_t>(std::min(count, text.golden.size()))};
}

} // namespace llcuda::pipeline
