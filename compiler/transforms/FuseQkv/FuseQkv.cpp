// SPDX-License-Identifier: Apache-2.0
// FuseQkv.cpp: three linears of one value, behind one attention or delta rule -> qkv_linear
//
// The attention says which linear is which: its query leads back to one, and the cache write it follows to two, past
// rotations, norms and what takes some columns. A delta rule reads its own, one past a convolution. The fused op stands
// where the first of the three stood.
#include "compiler/transforms/FuseQkv/FuseQkv.h"

#include <array>

#include "compiler/transforms/rewriting.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace llcuda {
using namespace llm;
#define GEN_PASS_DEF_FUSEQKV
#include "compiler/transforms/FuseQkv/FuseQkv.h.inc"

namespace {

/// The linear behind what works on its rows, none of which has another reader, but for a linear of which some take
/// these columns and some those.
LinearOp linearBehind(mlir::Value value) {
  bool takesColumns = false;
  while (mlir::Operation* op = value.getDefiningOp()) {
    if (!takesColumns && !value.hasOneUse())
      return {};
    if (!mlir::isa<RopeOp, HeadNormOp, RmsNormOp, ShortConvOp, TakeColumnsOp>(op))
      return mlir::dyn_cast<LinearOp>(op);
    takesColumns = mlir::isa<TakeColumnsOp>(op);
    value = op->getOperand(0);
  }
  return {};
}

/// Whether what the linear adds is there at `anchor`, or can move there with its parameters.
bool addsWhatCanMove(LinearOp linear, mlir::Operation* anchor) {
  const mlir::Value added = linear.getAdded();
  if (!added || isAvailableAt(added, anchor))
    return true;
  auto product = added.getDefiningOp<LowRankOp>();
  return product && product.getInput() == linear.getInput() && isAvailableAt(product.getA(), anchor) &&
         isAvailableAt(product.getB(), anchor);
}

void moveAddedBefore(PassRewriter& rewriter, mlir::Operation* anchor, LinearOp linear) {
  if (!linear.getAdded() || isAvailableAt(linear.getAdded(), anchor))
    return;
  auto product = linear.getAdded().getDefiningOp<LowRankOp>();
  moveParametersBefore(rewriter, anchor, {product.getA(), product.getB()});
  rewriter.moveOpBefore(product, anchor);
}

/// The linears behind `reader`, which are those of query, key and value.
mlir::LogicalResult fuse(PassRewriter& rewriter, mlir::Operation* reader, std::array<LinearOp, 3> linears) {
  auto [q, k, v] = linears;
  if (!q || !k || !v)
    return rewriter.refuse(reader, "query, keys or values do not come from a linear that only they read");
  if (q.getInput() != k.getInput() || q.getInput() != v.getInput())
    return rewriter.refuse(reader, "the linears of query, key and value read different values");
  if (q.getResidual() || k.getResidual() || v.getResidual())
    return rewriter.refuse(reader, "a linear of query, key or value adds a residual");
  if (!q.getBias() != !k.getBias() || !q.getBias() != !v.getBias())
    return rewriter.refuse(reader, "some of the linears of query, key and value have a bias, some have none");

  LinearOp first = q;
  for (LinearOp linear : linears)
    if (linear->isBeforeInBlock(first))
      first = linear;
  llvm::SmallVector<mlir::Value> parameters;
  for (LinearOp linear : linears) parameters.append({linear.getWeight(), linear.getBias()});
  if (!llvm::all_of(parameters, [&](mlir::Value value) { return isAvailableAt(value, first); }))
    return rewriter.refuse(reader, "a weight or bias is computed after the first of the three linears");
  if (!llvm::all_of(linears, [&](LinearOp linear) { return addsWhatCanMove(linear, first); }))
    return rewriter.refuse(reader, "what a linear adds is computed after the first of the three linears");

  rewriter.accept(reader, "the linears of query, key and value are one qkv_linear");
  moveParametersBefore(rewriter, first, parameters);
  for (LinearOp linear : linears) moveAddedBefore(rewriter, first, linear);
  rewriter.setInsertionPoint(first);
  auto fused = QkvLinearOp::create(rewriter, q.getLoc(), q.getType(), k.getType(), v.getType(), q.getInput(),
                                   q.getWeight(), k.getWeight(), v.getWeight(), q.getBias(), k.getBias(), v.getBias(),
                                   /*int8_input=*/nullptr, q.getAdded(), k.getAdded(), v.getAdded());
  copyLayer(q, fused);
  for (auto [linear, result] : llvm::zip_equal(linears, fused->getResults())) rewriter.replaceOp(linear, result);
  return mlir::success();
}

mlir::LogicalResult fuse(PassRewriter& rewriter, AttentionOp attention) {
  auto write = attention.getCache().getDefiningOp<CacheWriteOp>();
  if (!write)
    return rewriter.refuse(attention, "the cache is not written by a cache_write of this function");
  return fuse(rewriter, attention,
              {linearBehind(attention.getQuery()), linearBehind(write.getKeys()), linearBehind(write.getValues())});
}

mlir::LogicalResult fuse(PassRewriter& rewriter, DeltaRuleOp rule) {
  return fuse(rewriter, rule,
              {linearBehind(rule.getInput()), linearBehind(rule.getDecay()), linearBehind(rule.getBeta())});
}

struct FuseQkv final : impl::FuseQkvBase<FuseQkv> {
  void runOnOperation() override {
    PassRewriter rewriter(&getContext(), getArgument());
    for (AttentionOp attention : collect<AttentionOp>(getOperation())) (void)fuse(rewriter, attention);
    for (DeltaRuleOp rule : collect<DeltaRuleOp>(getOperation())) (void)fuse(rewriter, rule);
  }
};

} // namespace
} // namespace llcuda
