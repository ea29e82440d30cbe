// SPDX-License-Identifier: Apache-2.0
// QuantizeActivations.cpp: int8 rows for linears of quantised weights
//
// Values are visited by their producers, in order. The readers that take int8 rows decide: all of them share one copy.
#include "compiler/transforms/QuantizeActivations/QuantizeActivations.h"

#include "compiler/transforms/rewriting.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/TypeSwitch.h"

namespace llcuda {
using namespace llm;
#define GEN_PASS_DEF_QUANTIZEACTIVATIONS
#include "compiler/transforms/QuantizeActivations/QuantizeActivations.h.inc"

namespace {

/// The weights that `use` is multiplied with; none when the use is something else (a residual, a norm's input).
llvm::SmallVector<mlir::TypedValue<WeightType>, 3> weightsOf(mlir::OpOperand& use) {
  using Weights = llvm::SmallVector<mlir::TypedValue<WeightType>, 3>;
  return llvm::TypeSwitch<mlir::Operation*, Weights>(use.getOwner())
      .Case<LinearOp, HeadOp, LinearResidualNormOp>(
          [&](auto op) { return &use == &op.getInputMutable() ? Weights{op.getWeight()} : Weights{}; })
      .Case<GluLinearOp>([](GluLinearOp op) {
        return Weights{op.getGateWeight(), op.getUpWeight()};
      })
      .Case<QkvLinearOp, QkvRopeCacheOp>([&](auto op) {
        return &use == &op.getInputMutable() ? Weights{op.getQWeight(), op.getKWeight(), op.getVWeight()} : Weights{};
      })
      .Default(Weights{});
}

/// Whether the op can yield int8 rows as this result.
bool canEmitQ8Rows(mlir::OpResult result) {
  if (auto fused = mlir::dyn_cast<LinearResidualNormOp>(result.getOwner()))
    return result == fused.getNormed();
  return mlir::isa<RmsNormOp, AttentionOp, GluOp, GluLinearOp>(result.getOwner());
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
    for (mlir::OpOperand& use : value.getUses())
      if (takesQ8RowsAt(rewriter, use))
        readers.push_back(&use);
    if (readers.empty())
      return;
    auto result = mlir::dyn_cast<mlir::OpResult>(value);
    const bool allTake = readers.size() == static_cast<size_t>(std::distance(value.use_begin(), value.use_end()));
    if (result && canEmitQ8Rows(result) && allTake) {
      rewriter.accept(result.getOwner(), "yields int8 rows");
      rewriter.modifyOpInPlace(result.getOwner(), [&] { value.setType(asQ8Rows(value.getType())); });
      return;
    }
    quantizeApart(rewriter, value, readers,
                  allTake ? "what makes the value cannot yield int8 rows" : "something reads the value as f32 rows");
  }

  void quantizeApart(PassRewriter& rewriter, mlir::Value value, llvm::ArrayRef<mlir::OpOperand*> readers,
                     llvm::StringRef reason) {
    mlir::Operation* anchor = value.getDefiningOp();
    (void)rewriter.refuse(anchor ? anchor : getOperation().getOperation(), "a quantize of its own: " + reason);
    rewriter.setInsertionPointAfterValue(value);
    auto quantized = QuantizeOp::create(rewriter, value.getLoc(), value);
    copyLayer(readers.front()->getOwner(), quantized);
    for (mlir::OpOperand* use : readers) rewriter.modifyOpInPlace(use->getOwner(), [&] { use->set(quantized); });
  }

  /// Whether this reader takes int8 rows; says why when its weights are quantised and it does not.
  bool takesQ8RowsAt(PassRewriter& rewriter, mlir::OpOperand& use) {
    const auto weights = weightsOf(use);
    if (!llvm::any_of(weights, wantsQ8Rows))
      return false;
    if (!llvm::all_of(weights, wantsQ8Rows)) {
      (void)rewriter.refuse(use.getOwner(), "some of its weights read f32 rows");
      return false;
    }
    return true;
  }
};

} // namespace
} // namespace llcuda
