// SPDX-License-Identifier: Apache-2.0
// A checkpoint and the interpreter over it, ready for tokens.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiler/models/import.h"
#include "compiler/models/open_model.h"
#include "compiler/reference/agreement.h"
#include "compiler/reference/interpreter.h"

namespace llcuda::reference {

class InterpretedModel {
public:
  /// Keys and values as they are, for as many positions as the model was trained for.
  static constexpr models::ImportOptions kExact = {0, formats::TensorType::kF32, formats::TensorType::kF32};

  /// Takes an opened model. Keys and values are rounded to the types that `options` name; `maxContext` 0 means as many
  /// positions as it was trained for.
  static Result<InterpretedModel> create(std::shared_ptr<const models::OpenedModel> model,
                                         models::ImportOptions options, unsigned threads);

  const models::ModelConfig& config() const { return parts->model->config; }

  /// Logits of the successor of each of `tokens`, positions from 0 on: [tokens][vocabulary].
  Result<Matrix> logits(std::span<const int32_t> tokens) const;

  /// Appends the most likely token again and again, until there are `wanted` tokens. Logits of the successor of each:
  /// [wanted][vocabulary].
  Result<Matrix> continued(std::vector<int32_t>& tokens, size_t wanted) const;

  /// The residual stream after each layer, for `tokens` (at least one) at positions from 0 on: [tokens][embedding].
  /// `logits` gets those of the last one's successor.
  Result<std::vector<Matrix>> residuals(std::span<const int32_t> tokens, Matrix& logits) const;

  /// Scores of a continuation, by one pass over prompt and continuation together.
  Result<std::vector<StepScore>> score(std::span<const int32_t> prompt, std::span<const int32_t> tokens) const;

private:
  struct Parts {
    std::shared_ptr<const models::OpenedModel> model;
    mlir::MLIRContext context;
    mlir::OwningOpRef<mlir::ModuleOp> module;
    mlir::func::FuncOp forward;
    unsigned threads = 1;
  };
  explicit InterpretedModel(std::unique_ptr<Parts> parts) : parts(std::move(parts)) {}

  std::unique_ptr<Parts> parts; // on the heap: the ops point to the context
};

} // namespace llcuda::reference
