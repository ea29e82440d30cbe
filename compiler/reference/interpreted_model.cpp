// SPDX-License-Identifier: Apache-2.0
#include "compiler/reference/interpreted_model.h"

#include <algorithm>
#include <numeric>

#include "codegen/reference/log_softmax.h"

namespace llcuda::reference {

Result<InterpretedModel> InterpretedModel::create(std::shared_ptr<const models::OpenedModel> model,
                                                  models::ImportOptions options, unsigned threads) {
  auto parts = std::make_unique<Parts>();
  parts->model = std::move(model);
  parts->threads = threads;
  const models::ModelConfig& config = parts->model->config;
  parts->context.loadDialect<llm::LlmDialect, mlir::func::FuncDialect>();
  if (options.maxContext == 0)
    options.maxContext = config.trainedContext;
  LLCUDA_ASSIGN_OR_RETURN(parts->module,
                          models::importModel(&parts->context, *parts->model->checkpoint, config, options));
  parts->forward = parts->module->lookupSymbol<mlir::func::FuncOp>("forward");
  return InterpretedModel(std::move(parts));
}

Result<Matrix> InterpretedModel::logits(std::span<const int32_t> tokens) const {
  std::vector<int32_t> outputRows(tokens.size());
  std::iota(outputRows.begin(), outputRows.end(), 0);
  LLCUDA_ASSIGN_OR_RETURN(Interpreter interpreter,
                          Interpreter::create(parts->forward, *parts->model->checkpoint, parts->threads));
  return interpreter.run({.tokens = tokens, .firstPosition = 0, .outputRows = outputRows});
}

Result<Matrix> InterpretedModel::continued(std::vector<int32_t>& tokens, size_t wanted) const {
  LLCUDA_ASSIGN_OR_RETURN(Interpreter interpreter,
                          Interpreter::create(parts->forward, *parts->model->checkpoint, parts->threads));
  Matrix all;
  for (size_t done = 0; done < wanted;) {
    std::vector<int32_t> outputRows(tokens.size() - done);
    std::iota(outputRows.begin(), outputRows.end(), 0);
    LLCUDA_ASSIGN_OR_RETURN(const Matrix logits, interpreter.run({.tokens = std::span(tokens).subspan(done),
                                                                  .firstPosition = static_cast<int32_t>(done),
                                                                  .outputRows = outputRows}));
    all.cols = logits.cols;
    all.rows += logits.rows;
    all.values.insert(all.values.end(), logits.values.begin(), logits.values.end());
    done = tokens.size();
    if (done < wanted)
      tokens.push_back(topK(logits.row(logits.rows - 1), logits.cols, 1).front());
  }
  return all;
}

Result<std::vector<Matrix>> InterpretedModel::residuals(std::span<const int32_t> tokens, Matrix& logits) const {
  LLCUDA_ASSIGN_OR_RETURN(Interpreter interpreter,
                          Interpreter::create(parts->forward, *parts->model->checkpoint, parts->threads));
  std::vector<Matrix> layers(parts->model->config.layers.size());
  const auto last = static_cast<int32_t>(tokens.size() - 1);
  Step step{.tokens = tokens, .firstPosition = 0, .outputRows = {&last, 1}};
  // As imported, a layer ends with the add that makes its residual stream, or the product of that with a constant.
  step.onResult = [&](mlir::Operation* op, const Matrix& result) {
    if (const auto layer = op->getAttrOfType<mlir::IntegerAttr>("llm.layer");
        layer && llvm::isa<llm::AddOp, llm::ScaleOp>(op))
      layers[static_cast<size_t>(layer.getInt())] = result;
  };
  LLCUDA_ASSIGN_OR_RETURN(logits, interpreter.run(step));
  return layers;
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

  LLCUDA_ASSIGN_OR_RETURN(Interpreter interpreter,
                          Interpreter::create(parts->forward, *parts->model->checkpoint, parts->threads));
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
