// SPDX-License-Identifier: Apache-2.0
// FuseQkv.cpp: three linears of one value, behind one attention -> qkv_linear
//
// The attention says which linear is which: its query leads back to one, and the cache write it follows to two, past
// rotations and norms. The fused op stands where the first of the three stood.
#include "compiler/transforms/FuseQkv/FuseQkv.h"

#include "compiler/transforms/rewriting.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace llcuda {
using namespace llm;
#define GEN_PASS_DEF_FUSEQKV
#include "compiler/transforms/FuseQkv/FuseQkv.h.inc"

namespace {

/// The linear behind rotations and norms, none of which has another reader.
LinearOp linearBehind(mlir::Value value) {
  while (mlir::Operation* op = value.getDefiningOp()) {
    if (!value.hasOneUse())
      return {};
    if (!mlir::isa<RopeOp, HeadNormOp, RmsNormOp>(op))
      return mlir::dyn_cast<LinearOp>(op);
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

mlir::LogicalResult fuse(PassRewriter& rewriter, AttentionOp attention) {
  auto write = attention.getCache().getDefiningOp<CacheWriteOp>();
  if (!write)
    return rewriter.refuse(attention, "the cache is not written by a cache_write of this function");
  LinearOp linears[] = {linearBehind(attention.getQuery()), linearBehind(write.getKeys()),
                        linearBehind(write.getValues())};
  auto [q, k, v] = linears;
  if (!q || !k || !v)
    return rewriter.refuse(attention, "query, keys or values do not come from a linear that only they read");
  if (q.getInput() != k.getInput() || q.getInput() != v.getInput())
    return rewriter.refuse(attention, "the linears of query, key and value read different values");
  if (q.getResidual() || k.getResidual() || v.getResidual())
    return rewriter.refuse(attention, "a linear of query, key or value adds a residual");
  if (!q.getBias() != !k.getBias() || !q.getBias() != !v.getBias())
    return rewriter.refuse(attention, "some of the linears of query, key and value have a bias, some have none");

  LinearOp first = q;
  for (LinearOp linear : linears)
    if (linear->isBeforeInBlock(first))
      first = linear;
  llvm::SmallVector<mlir::Value> parameters;
  for (LinearOp linear : linears) parameters.append({linear.getWeight(), linear.getBias()});
  if (!llvm::all_of(parameters, [&](mlir::Value value) { return isAvailableAt(value, first); }))
    return rewriter.refuse(attention, "a weight or bias is computed after the first of the three linears");
  if (!llvm::all_of(linears, [&](LinearOp linear) { return addsWhatCanMove(linear, first); }))
    return rewriter.refuse(attention, "what a linear adds is computed after the first of the three linears");

  rewriter.accept(attention, "the linears of query, key and value are one qkv_linear");
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

struct FuseQkv final : impl::FuseQkvBase<FuseQkv> {
  void runOnOperation() override {
    PassRewriter rewriter(&getContext(), getArgument());
    for (AttentionOp attention : collect<AttentionOp>(getOperation())) (void)fuse(rewriter, attention);
  }
};

} // namespace
} // namespace llcuda
