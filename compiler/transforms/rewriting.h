// SPDX-License-Identifier: Apache-2.0
// What several passes share: saying why an op was left as it is, and moving parameters before their first reader.
#pragma once

#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

#include "dialects/llm/Llm.h"

namespace llcuda::llm {

/// A rewriter that knows the pass it works for. Each decision of the pass is a remark of the pass's name: show them
/// with `--remarks-filter=<pass>` of llcuda-opt, taken ones with `--remarks-filter-passed`, refusals with
/// `--remarks-filter-missed`.
class PassRewriter final : public mlir::IRRewriter {
public:
  PassRewriter(mlir::MLIRContext* context, llvm::StringRef pass) : IRRewriter(context), pass(pass) {}

  /// Says why `op` stays as it is. Always a failure.
  mlir::LogicalResult refuse(mlir::Operation* op, const llvm::Twine& reason);

  /// Says what becomes of `op`, before it is replaced.
  void accept(mlir::Operation* op, const llvm::Twine& what);

private:
  llvm::StringRef pass;
};

/// Every op of a type in `root`, in order. A pass that rewrites as it goes walks this list.
template <typename Op>
llvm::SmallVector<Op> collect(mlir::Operation* root) {
  llvm::SmallVector<Op> ops;
  root->walk([&](Op op) { ops.push_back(op); });
  return ops;
}

/// The op that makes `value`, if it is an Op whose result nothing else reads.
template <typename Op>
Op solelyReadProducer(mlir::Value value) {
  auto op = value.getDefiningOp<Op>();
  return op && value.hasOneUse() ? op : Op();
}

/// Whether `value` is computed before `anchor`, an op of its block, or is a parameter, which can move there. An absent
/// value is.
bool isAvailableAt(mlir::Value value, mlir::Operation* anchor);

/// Moves before `anchor` those parameters that come after it. Each value must be available there.
void moveParametersBefore(mlir::RewriterBase& rewriter, mlir::Operation* anchor, mlir::ValueRange values);

/// Gives `to` the layer of `from`.
void copyLayer(mlir::Operation* from, mlir::Operation* to);

/// Whether linears read int8 rows for the weight of `value`.
inline bool wantsQ8Rows(mlir::TypedValue<WeightType> weight) {
  return takesQ8Rows(weight.getType().getEncoding());
}

} // namespace llcuda::llm
