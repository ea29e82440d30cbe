// SPDX-License-Identifier: Apache-2.0
// QuantizeActivations.cpp: int8 rows for linears of quantised weights
//
// Values are visited by their producers, in order. The readers that take int8 rows decide: all of them share one copy.
#include "compiler/transforms/QuantizeActivations/QuantizeActivations.h"

#include "compiler/transforms/rewriting.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace llcuda {
using namespace llm;
#define GEN_PASS_DEF_QUANTIZEACTIVATIONS
#include "compiler/transforms/QuantizeActivations/QuantizeActivations.h.inc"

namespace {

/// How a use of f32 rows wants them, once int8 rows are made.
enum class Wants {
  kFloat, ///< as they are: a residual, the input of a norm, of a weight that is not quantised
  kInt8,  ///< as int8 rows
  kBoth,  ///< as both, for the weights of a fused op
};

Wants wantsOf(mlir::OpOperand& use) {
  auto reader = mlir::dyn_cast<MultipliesRows>(use.getOwner());
  if (!reader || &use != &reader.getInputMutable())
    return Wants::kFloat;
  const auto weights = reader.getWeights();
  if (llvm::none_of(weights, wantsQ8Rows))
    return Wants::kFloat;
  return llvm::all_of(weights, wantsQ8Rows) ? Wants::kInt8 : Wants::kBoth;
}

/// Whether the op that makes the rows can yield them as int8 rows.
bool canEmitQ8Rows(mlir::OpResult rows) {
  auto maker = mlir::dyn_cast<EmitsRows>(rows.getOwner());
  return maker && maker.getEmittedRows() == rows;
}

bool isFloatRows(mlir::Value value) {
  auto type = mlir::dyn_cast<mlir::RankedTensorType>(value.getType());
  return type && type.getRank() == 2 && type.getElementType().isF32();
}

struct QuantizeActivations final : impl::QuantizeActivationsBase<QuantizeActivations> {
  void runOnOperation() override {
    PassRewriter rewriter(&getContext(), getArgument());
    llvm::SmallVector<mlir::Value> values;
    getOperation().walk([&](mlir::Block* block) { llvm::append_range(values, block->getArguments()); });
    getOperation().walk([&](mlir::Operation* op) { llvm::append_range(values, op->getResults()); });
    for (mlir::Value value : llvm::make_filter_range(values, isFloatRows)) quantize(rewriter, value);
  }

  void quantize(PassRewriter& rewriter, mlir::Value value) {
    llvm::SmallVector<mlir::OpOperand*> readers;
    bool allInt8 = true;
    for (mlir::OpOperand& use : value.getUses()) {
      if (mlir::isa<LowRankOp>(use.getOwner()))
        continue; // whoever makes int8 rows for others makes its f32 rows beside them
      const Wants wants = wantsOf(use);
      allInt8 &= wants == Wants::kInt8;
      if (wants != Wants::kFloat)
        readers.push_back(&use);
    }
    if (readers.empty())
      return;
    auto result = mlir::dyn_cast<mlir::OpResult>(value);
    if (result && canEmitQ8Rows(result) && allInt8) {
      rewriter.accept(result.getOwner(), "yields int8 rows");
      rewriter.modifyOpInPlace(result.getOwner(), [&] { value.setType(asQ8Rows(value.getType())); });
      return;
    }
    mlir::Operation* anchor = result ? result.getOwner() : getOperation().getOperation();
    (void)rewriter.refuse(anchor, allInt8 ? "a quantize of its own: what makes the value cannot yield int8 rows"
                                          : "a quantize of its own: something reads the value as f32 rows");
    quantizeApart(rewriter, value, readers);
  }

  /// One quantize after `value` for all readers.
  static void quantizeApart(PassRewriter& rewriter, mlir::Value value, llvm::ArrayRef<mlir::OpOperand*> readers) {
    rewriter.setInsertionPointAfterValue(value);
    auto quantized = QuantizeOp::create(rewriter, value.getLoc(), value);
    copyLayer(readers.front()->getOwner(), quantized);
    for (mlir::OpOperand* use : readers)
      rewriter.modifyOpInPlace(use->getOwner(), [&] {
        if (wantsOf(*use) == Wants::kInt8)
          use->set(quantized);
        else
          mlir::cast<MultipliesRows>(use->getOwner()).getInt8InputMutable().assign(quantized);
      });
  }
};

} // namespace
} // namespace llcuda
