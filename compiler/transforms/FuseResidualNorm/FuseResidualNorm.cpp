// SPDX-License-Identifier: Apache-2.0
// FuseResidualNorm.cpp: rms_norm(add(r, [rms_norm](linear(x, w))), s) -> linear_residual_norm(x, w, r, s)
//                       rms_norm(scale(add(r, rms_norm(linear(x, w)))), s) -> linear_residual_norm(x, w, r, s)
//                       linear(add(r, rms_norm(linear(x, w)))) -> linear(linear_residual_norm(x, w, r))
//                       add(r, linear(x, w)) -> linear(x, w) residual r
//
// The add is the root. Which of its operands is the linear and which the residual stream is found by looking: the
// linear is read by nothing else, the stream usually is.
#include "compiler/transforms/FuseResidualNorm/FuseResidualNorm.h"

#include "compiler/transforms/rewriting.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace llcuda {
using namespace llm;
#define GEN_PASS_DEF_FUSERESIDUALNORM
#include "compiler/transforms/FuseResidualNorm/FuseResidualNorm.h.inc"

namespace {

/// What an add joins: a linear, perhaps the norm after it, and the value it is added to.
struct Branch {
  LinearOp linear;
  RmsNormOp postNorm;
  mlir::Value residual;
};

Branch branchOf(mlir::Value value, mlir::Value residual) {
  auto postNorm = solelyReadProducer<RmsNormOp>(value);
  return {solelyReadProducer<LinearOp>(postNorm ? postNorm.getInput() : value), postNorm, residual};
}

/// The branch of an add; without a linear when neither operand has one. Of two, the later one: the stream comes first.
Branch branchOf(AddOp add) {
  Branch left = branchOf(add.getLhs(), add.getRhs()), right = branchOf(add.getRhs(), add.getLhs());
  if (!left.linear || !right.linear)
    return left.linear ? left : right;
  return left.linear->isBeforeInBlock(right.linear) ? right : left;
}

/// Whether a linear multiplies the value there.
bool multiplies(mlir::OpOperand& use) {
  auto linear = mlir::dyn_cast<MultipliesRows>(use.getOwner());
  return linear && &use == &linear.getInputMutable();
}

/// The norms that read a sum.
llvm::SmallVector<RmsNormOp> normsOf(mlir::Value sum) {
  llvm::SmallVector<RmsNormOp> norms;
  for (mlir::Operation* user : sum.getUsers())
    if (auto norm = mlir::dyn_cast<RmsNormOp>(user))
      norms.push_back(norm);
  return norms;
}

mlir::LogicalResult addInLinear(PassRewriter& rewriter, AddOp add, Branch branch) {
  rewriter.accept(add, "the linear adds the residual");
  rewriter.setInsertionPoint(add);
  auto fused =
      LinearOp::create(rewriter, add.getLoc(), add.getType(), branch.linear.getInput(), branch.linear.getWeight(),
                       branch.linear.getBias(), branch.residual, branch.linear.getAdded());
  copyLayer(branch.linear, fused);
  rewriter.replaceOp(add, fused);
  rewriter.eraseOp(branch.linear);
  return mlir::success();
}

/// What becomes of the sum: perhaps a product with a constant, which then is the sum, and then a norm or none.
struct Sum {
  AddOp add;
  ScaleOp scale;

  mlir::Value value() { return scale ? scale.getResult() : add.getResult(); }
};

Sum sumOf(AddOp add) {
  return {add, add->hasOneUse() ? mlir::dyn_cast<ScaleOp>(*add->getUsers().begin()) : ScaleOp()};
}

mlir::LogicalResult normInLinear(PassRewriter& rewriter, Sum sum, Branch branch, RmsNormOp norm) {
  auto [linear, postNorm, residual] = branch;
  AddOp add = sum.add;
  rewriter.accept(add, norm ? "linear, add and norm are one linear_residual_norm"
                            : "linear, norm and add are one linear_residual_norm, which linears read");
  const mlir::Value scale = norm ? norm.getScale() : mlir::Value();
  moveParametersBefore(rewriter, add, scale);
  rewriter.setInsertionPoint(add);
  auto fused = LinearResidualNormOp::create(
      rewriter, add.getLoc(), add.getType(), add.getType(), linear.getInput(), linear.getWeight(), residual, scale,
      linear.getBias(), postNorm ? postNorm.getScale() : mlir::Value(), linear.getAdded(),
      norm ? norm.getEpsAttr() : postNorm.getEpsAttr(), sum.scale ? sum.scale.getFactorAttr() : mlir::FloatAttr());
  copyLayer(linear, fused);
  if (norm)
    rewriter.replaceOp(norm, fused.getNormed());
  else
    rewriter.replaceUsesWithIf(sum.value(), fused.getNormed(), multiplies);
  if (sum.scale)
    rewriter.replaceOp(sum.scale, fused.getSum());
  rewriter.replaceOp(add, fused.getSum());
  if (postNorm)
    rewriter.eraseOp(postNorm);
  rewriter.eraseOp(linear);
  return mlir::success();
}

struct FuseResidualNorm final : impl::FuseResidualNormBase<FuseResidualNorm> {
  using FuseResidualNormBase::FuseResidualNormBase;

  void runOnOperation() override {
    PassRewriter rewriter(&getContext(), getArgument());
    for (AddOp add : collect<AddOp>(getOperation())) (void)fuse(rewriter, add);
  }

  mlir::LogicalResult fuse(PassRewriter& rewriter, AddOp add) {
    Branch branch = branchOf(add);
    if (!branch.linear)
      return rewriter.refuse(add, "neither operand comes from a linear that only the add reads");
    if (branch.linear.getResidual())
      return rewriter.refuse(add, "the linear adds another residual already");
    Sum sum = sumOf(add);
    auto norms = normsOf(sum.value());
    const std::string reason = whyNoNorm(sum, branch, norms);
    if (reason.empty())
      return normInLinear(rewriter, sum, branch, norms.front());
    if (norms.empty() && branch.postNorm && whyNotWhole(add).empty() && llvm::any_of(sum.value().getUses(), multiplies))
      return normInLinear(rewriter, sum, branch, {});
    const mlir::LogicalResult refusal = rewriter.refuse(add, reason);
    if (branch.postNorm)
      return refusal;
    return addInLinear(rewriter, add, branch);
  }

  /// Why the norm after the add is not taken in; empty when it is.
  std::string whyNoNorm(Sum sum, Branch branch, llvm::MutableArrayRef<RmsNormOp> norms) const {
    if (norms.empty())
      return "no norm reads the sum";
    if (norms.size() > 1)
      return "two norms read the sum";
    if (sum.scale && !branch.postNorm)
      return "the sum is scaled, and what is added is not normed";
    if (!isAvailableAt(norms.front().getScale(), sum.add))
      return "the scale of the norm is computed after the sum";
    if (std::string reason = whyNotWhole(sum.add); !reason.empty())
      return reason;
    if (branch.postNorm && branch.postNorm.getEps() != norms.front().getEps())
      return "the norms before and after the add have different epsilons";
    return {};
  }

  /// Why a block cannot have a whole row; empty when it can.
  std::string whyNotWhole(AddOp add) const {
    const int64_t columns = columnsOf(add.getResult());
    if (columns > maxColumns)
      return (llvm::Twine("rows of ") + llvm::Twine(columns) + " columns are wider than max-columns " +
              llvm::Twine(maxColumns.getValue()))
          .str();
    if (columns % kQ8Block != 0)
      return (llvm::Twine("rows of ") + llvm::Twine(columns) + " columns are no multiple of 32").str();
    return {};
  }
};

} // namespace
} // namespace llcuda
