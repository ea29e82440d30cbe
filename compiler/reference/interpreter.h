// SPDX-License-Identifier: Apache-2.0
// Runs the llm dialect in f32, before and after the passes: the truth that engines are measured by.
#pragma once

#include <functional>
#include <span>

#include "compiler/models/parameter.h"
#include "compiler/reference/float_ops.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/base/result.h"
#include "llvm/ADT/DenseMap.h"

namespace llcuda::reference {

/// One call of `@forward`: tokens of one sequence at consecutive positions.
struct Step {
  std::span<const int32_t> tokens;
  int32_t firstPosition = 0;
  std::span<const int32_t> outputRows; ///< indices of `tokens` whose logits are wanted
  /// Sees the result of each op that has one; may be empty.
  std::function<void(mlir::Operation* op, const Matrix& result)> onResult = {};
};

/// Interprets one function over one sequence. Answers are the same bytes whatever the machine and number of threads.
/// Memory: the activations of a step, the cache of the positions seen so far, and no dense copy of a weight.
class Interpreter {
public:
  /// `forward` and what `find` points to must outlive the interpreter. Fails when a parameter is not in the checkpoint
  /// as the function says, or has an encoding that cannot be read.
  static Result<Interpreter> create(mlir::func::FuncOp forward, const ingest::Checkpoint& checkpoint, unsigned threads);

  /// The first result of the function: logits of [outputRows][vocabulary], or of an encoder the rows of the text,
  /// [tokens][embedding], which has to be whole. Positions before the first must have been
  /// run; a token outside the vocabulary, a position outside the rope tables and an op that has no meaning here are
  /// errors.
  Result<Matrix> run(const Step& step);

private:
  struct Frame;
  explicit Interpreter(unsigned threads) : ops(threads) {}
  Result<void> collect(const ingest::Checkpoint& checkpoint);
  Result<void> execute(mlir::Operation* op, Frame& frame);
  Result<void> executeFused(mlir::Operation* op, Frame& frame);
  /// Whether the table has the rows.
  static Result<void> checkRows(llm::EmbeddingOp op, std::span<const int32_t> rows);
  std::span<const float> vectorOf(mlir::Value value) const;
  /// The rows that the op multiplies with one of its weights, times that weight.
  Matrix product(llm::MultipliesRows op, mlir::TypedValue<llm::WeightType> weight, mlir::Value bias, mlir::Value added,
                 const Frame& frame);
  /// Norms and turns the heads of query and key, of an op that keeps them, and fills its cache.
  template <typename Op>
  Result<void> turnAndKeep(Op op, Matrix query, Matrix key, const Matrix& value, Frame& frame);
  void writeCache(mlir::Value cache, const Matrix& keys, const Matrix& values, const Frame& frame);
  Matrix attend(llm::AttentionOp op, const Frame& frame);
  Matrix convolve(llm::ShortConvOp op, const Frame& frame);
  Result<Matrix> recall(llm::DeltaRuleOp op, const Frame& frame);
  Result<Matrix> rotate(const Matrix& x, mlir::Value table, llm::RopePairs pairs, size_t headSize,
                        const Frame& frame) const;

  FloatOps ops;
  mlir::func::FuncOp forward;
  llvm::DenseMap<mlir::Value, models::Parameter> weights;
  llvm::DenseMap<mlir::Value, std::vector<float>> vectors;
  llvm::DenseMap<mlir::Value, RopeTable> tables;
  llvm::DenseMap<int64_t, Cache> caches;      ///< by layer
  llvm::DenseMap<int64_t, Matrix> convolved;  ///< by layer: what a short convolution read at each position
  llvm::DenseMap<int64_t, DeltaState> learnt; ///< the same of the delta rule
  llvm::DenseMap<mlir::Value, mlir::Operation*> lastUse;
};

} // namespace llcuda::reference
