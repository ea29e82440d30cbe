// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/golden.h"

#include <algorithm>

#include "codegen/reference/log_softmax.h"
#include "compiler/reference/interpreted_model.h"

namespace llcuda::pipeline {

const std::string_view kGoldenText = "The quick brown fox jumps over the lazy dog, and in 1969 two people walked on "
                                     "the Moon while the world watched.";

const std::string_view kGoldenPrompts[kGoldenPromptCount] = {
    "The capital of France is",
    "Once upon a time, in a small village by the sea, there lived",
    "Water boils at a temperature of",
    "def fibonacci(n):\n    if n < 2:\n        return",
    "The three primary colours are red,",
    "Dear Sir or Madam,\n\nI am writing to",
    "1, 2, 4, 8, 16,",
    "Der schnellste Weg nach Berlin ist",
    "La capitale de l'Italie est",
    "El perro y el gato",
    "人工知能とは",
    "Столица России — это",
    "Q: What is the largest planet of the solar system?\nA:",
    "<html>\n<head>\n<title>",
    "To make a good cup of tea, first",
    "In the year 2050, people will",
};

std::vector<int32_t> goldenIds(size_t count, uint32_t vocabulary, size_t first) {
  std::vector<int32_t> ids(count);
  for (size_t i = 0; i < count; ++i)
    ids[i] = static_cast<int32_t>(((first * count + i) * 2654435761u + 1) % vocabulary);
  return ids;
}

namespace {

fb::GoldenT goldenRecord(std::span<const int32_t> tokens, const reference::Matrix& logits) {
  fb::GoldenT golden;
  golden.tokens.assign(tokens.begin(), tokens.end());
  for (size_t i = 0; i < logits.rows; ++i) {
    const float* row = logits.row(i);
    const double norm = reference::logSumExp(row, logits.cols);
    for (const int32_t token : reference::topK(row, logits.cols, kGoldenTop))
      golden.top.emplace_back(token, static_cast<float>(row[token] - norm));
  }
  return golden;
}

} // namespace

Result<fb::GoldenT> goldenForward(std::shared_ptr<const models::OpenedModel> opened, models::ImportOptions cache,
                                  std::span<const int32_t> tokens, unsigned threads) {
  LLCUDA_ASSIGN_OR_RETURN(const auto model, reference::InterpretedModel::create(std::move(opened), cache, threads));
  LLCUDA_ASSIGN_OR_RETURN(const reference::Matrix logits, model.logits(tokens));
  return goldenRecord(tokens, logits);
}

Result<std::vector<fb::GoldenT>> goldenContinuations(std::shared_ptr<const models::OpenedModel> opened,
                                                     models::ImportOptions cache, const TextSegment& text,
                                                     unsigned threads) {
  const auto positions =
      static_cast<uint32_t>(std::min<size_t>(cache.maxContext, kGoldenPromptTokens + kGoldenContinuationTokens));
  const uint32_t vocabulary = opened->config.vocabulary;
  LLCUDA_ASSIGN_OR_RETURN(const auto model, reference::InterpretedModel::create(std::move(opened), cache, threads));
  std::vector<fb::GoldenT> records;
  for (size_t i = 0; i < kGoldenPromptCount; ++i) {
    std::vector<int32_t> tokens =
        text.prompts.empty() ? goldenIds(kGoldenPromptTokens, vocabulary, i) : text.prompts[i];
    tokens.resize(std::min<size_t>({tokens.size(), kGoldenPromptTokens, positions}));
    const size_t wanted = std::min<size_t>(tokens.size() + kGoldenContinuationTokens, positions);
    LLCUDA_ASSIGN_OR_RETURN(const reference::Matrix logits, model.continued(tokens, wanted));
    records.push_back(goldenRecord(tokens, logits));
  }
  return records;
}

} // namespace llcuda::pipeline
