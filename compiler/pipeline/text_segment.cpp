// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/text_segment.h"

#include <algorithm>

#include "compiler/pipeline/golden.h"
#include "compiler/pipeline/tokenizer_texts.h"
#include "runtime/text/chat_template.h"
#include "runtime/text/tokenizer.h"

namespace llcuda::pipeline {

namespace {

Result<void> checkSize(const text::Tokenizer& tokenizer, uint32_t rows) {
  for (uint32_t id = rows; id < tokenizer.vocabularySize(); ++id)
    if (!tokenizer.isSpecial(static_cast<int32_t>(id)))
      return badInput("the tokenizer has ", tokenizer.vocabularySize(), " tokens, the embedding table ", rows,
                      " rows: token ", id, " has none; they belong to different models");
  return text::checkTextConfig(tokenizer.config(), rows);
}

std::vector<std::string> unreadableTemplates(const text::TextConfig& config) {
  std::vector<std::string> warnings;
  const auto check = [&](const std::string& what, const std::string& source) {
    const auto opened = text::ChatTemplate::open(source);
    if (!opened)
      warnings.push_back(
          what + " cannot be read, so the engine completes text but does not chat by it: " + opened.error().message);
  };
  if (!config.chatTemplate.empty())
    check("the chat template", config.chatTemplate);
  for (const auto& [name, source] : config.namedTemplates) check("the chat template \"" + name + "\"", source);
  return warnings;
}

} // namespace

Result<TextSegment> textSegment(ingest::Vocabulary vocabulary, uint32_t rows) {
  TextSegment segment;
  segment.config = text::toJson(vocabulary.config);
  segment.warnings = unreadableTemplates(vocabulary.config);
  segment.tokenizer = std::move(vocabulary.tokenizerJson);
  if (vocabulary.config.kind == text::VocabularyKind::kNone)
    return segment;
  LLCUDA_ASSIGN_OR_RETURN(const text::Tokenizer tokenizer,
                          text::Tokenizer::open(segment.tokenizer, std::move(vocabulary.config)));
  LLCUDA_RETURN_IF_ERROR(checkSize(tokenizer, rows));
  LLCUDA_ASSIGN_OR_RETURN(segment.golden, tokenizer.encode(kGoldenText));
  for (const std::string_view prompt : kGoldenPrompts) {
    LLCUDA_ASSIGN_OR_RETURN(std::vector<int32_t> tokens, tokenizer.encode(prompt));
    segment.prompts.push_back(std::move(tokens));
  }
  LLCUDA_ASSIGN_OR_RETURN(segment.vectors, tokenizerVectors(tokenizer, rows));
  return segment;
}

std::vector<int32_t> goldenTokens(const TextSegment& text, uint32_t vocabulary, uint32_t context) {
  const size_t count = std::min<size_t>(kGoldenTokens, context);
  if (text.golden.empty())
    return goldenIds(count, vocabulary);
  return {text.golden.begin(), text.golden.begin() + static_cast<std::ptrdiff_t>(std::min(count, text.golden.size()))};
}

} // namespace llcuda::pipeline
