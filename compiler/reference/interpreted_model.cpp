// SPDX-License-Identifier: Apache-2.0
#include "compiler/reference/interpreted_model.h"

#include <algorithm>
#include <numeric>

#include "codegen/reference/log_softmax.h"

namespace llcuda::reference {

Result<InterpretedModel> InterpretedModel::create(std::shared_ptr<const models::OpenedModel> model, uint32_t maxContext,
                                                  unsigned threads) {
  auto parts = std::make_unique<Parts>();
  parts->model = std::move(model);
  parts->threads = threads;
  const models::ModelConfig& config = parts->model->config;
  parts->context.loadDialect<llm::LlmDialect, mlir::func::FuncDialect>();
  const uint32_t trained =
      config.contextLimit == 0 ? config.trainedContext : std::min(config.trainedContext, config.contextLimit);
  const uint32_t positions = maxContext == 0 ? trained : maxContext;
  // Keys and values are kept as they are: an engine's cache is part of what is measured.
  LLCUDA_ASSIGN_OR_RETURN(parts->module, models::importModel(&parts->context, *parts->model->checkpoint, config,
                                                             {.maxContext = positions,
                                                              .keyType = formats::TensorType::kF32,
                                                              .valueType = formats::TensorType::kF32}));
  parts->forward = parts->module->lookupSymbol<mlir::func::FuncOp>("forward");
  return InterpretedModel(std::move(parts));
}

Result<Matrix> InterpretedModel::logits(std::span<const int32_t> tokens) const {
  std::vector<int32_t> outputRows(tokens.size());
  std::iota(outputRows.begin(), outputRows.end(), 0);
  LLCUDA_ASSIGN_OR_RETURN(
      Interpreter interpreter,
      Interpreter::create(parts->forward, models::tensorsOf(*parts->model->checkpoint), parts->threads));
  return interpreter.run({.tokens = tokens, .firstPosition = 0, .outputRows = outputRows});
}

Result<std::vector<StepScore>> InterpretedModel::score(std::span<const int32_t> prompt,
                                                       std::span<const int32_t> tokens) const {
  if (prompt.empty())
    return usageError("a prompt without tokens has no next token");
  if (tokens.empty())
    return std::vector<StepScore>();
  std::vector<int32_t> all(prompt.begin(), prompt.end());
  all.insert(all.end(), tokens.begin(), tokens.end() - 1);
  std::vector<int32_t> outputRows(tokens.size());
  std::iota(outputRows.begin(), outputRows.end(), static_cast<int32_t>(prompt.size()) - 1);

  LLCUDA_ASSIGN_OR_RETURN(
      Interpreter interpreter,
      Interpreter::create(parts->forward, models::tensorsOf(*parts->model->checkpoint), parts->threads));
  LLCUDA_ASSIGN_OR_RETURN(const Matrix logits,
                          interpreter.run({.tokens = all, .firstPosition = 0, .outputRows = outputRows}));
  std::vector<StepScore> scores;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0 || static_cast<size_t>(tokens[i]) >= logits.cols)
      return usageError("token ", tokens[i], " is not in the vocabulary of ", logits.cols);
    const float* row = logits.row(i);
    scores.push_back({topK(row, logits.cols, 1).front(), row[tokens[i]] - logSumExp(row, logits.cols)});
  }
  return scores;
}

} // namespace llcuda::reference
