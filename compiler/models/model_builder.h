// SPDX-License-Identifier: Apache-2.0
// What every model importer shares: the function of a forward pass, and parameters that are checked against the checkpoint.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>

#include "compiler/ingest/checkpoint.h"
#include "compiler/models/import.h"
#include "compiler/models/model_config.h"
#include "dialects/llm/Llm.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace llcuda::models {

/// Builds `@forward` op by op. A tensor that is missing or has another shape or type is remembered, and building goes
/// on with a value of the expected type, so that a model reads as its formula; finish() answers with the first such
/// error.
class ModelBuilder {
public:
  ModelBuilder(mlir::MLIRContext* context, const ingest::Checkpoint& checkpoint, const ModelConfig& config,
               const ImportOptions& options);

  /// Ops built from now on carry `llm.layer`; -1 for none.
  void setLayer(int64_t layer) { currentLayer = layer; }

  bool has(const std::string& name) const { return checkpoint.find(name) != nullptr; }
  /// The checkpoint's matrix `name` of `rows` x `cols`.
  mlir::Value weight(const std::string& name, uint64_t rows, uint64_t cols);
  /// The checkpoint's f32 vector `name`.
  mlir::Value vector(const std::string& name, uint64_t elements);
  /// The same, or a null value when the file has no such tensor.
  mlir::Value optionalVector(const std::string& name, uint64_t elements);
  /// `<prefix>.weight` and, where the file has it, `<prefix>.bias` over `input`.
  mlir::Value linear(mlir::Value input, const std::string& prefix, uint64_t rows, uint64_t cols);
  mlir::Value rmsNorm(mlir::Value input, const std::string& scaleName);
  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  /// Cosines and sines of every position that a sequence may have, with the divisors of `rope_freqs.weight` if present.
  mlir::Value ropeTable();
  mlir::Value rope(mlir::Value input, mlir::Value table);
  /// Writes keys and values to the cache of the current layer and attends over it.
  mlir::Value attention(mlir::Value query, mlir::Value key, mlir::Value value);
  mlir::Value embedding(mlir::Value weight);
  mlir::Value glu(mlir::Value gate, mlir::Value up);
  void headAndSample(mlir::Value input, mlir::Value weight);

  /// The verified module, or the first error: of a tensor, or one that the model has and nothing read.
  Result<mlir::OwningOpRef<mlir::ModuleOp>> finish();

private:
  mlir::RankedTensorType rows(int64_t columns) const;
  /// Remembers the tensor as read; null when it is missing or its shape differs from `dims` (contiguous first).
  const ingest::TensorInfo* take(const std::string& name, const std::vector<uint64_t>& dims);
  void fail(Error error);
  template <typename Op, typename... Args>
  Op create(Args&&... args) {
    Op op = Op::create(builder, std::forward<Args>(args)...);
    if (currentLayer >= 0)
      op->setAttr("llm.layer", builder.getI64IntegerAttr(currentLayer));
    return op;
  }

  const ingest::Checkpoint& checkpoint;
  const ModelConfig& config;
  const ImportOptions options;
  mlir::ImplicitLocOpBuilder builder;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp forward;
  mlir::Value tokens, positions, slots, outputRows, sampling;
  int64_t currentLayer = -1;
  std::unordered_set<std::string> taken;
  std::optional<Error> failure;
};

} // namespace llcuda::models
