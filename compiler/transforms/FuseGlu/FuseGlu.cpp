// SPDX-License-Identifier: Apache-2.0
// FuseGlu.cpp: glu(linear(x, gate), linear(x, up)) -> glu_linear(x, gate, up), and so for linears of experts
//              glu(linear(x, gate), u) -> linear_glu(x, gate, u)
#include "compiler/transforms/FuseGlu/FuseGlu.h"

#include "compiler/transforms/rewriting.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace llcuda {
using namespace llm;
#define GEN_PASS_DEF_FUSEGLU
#include "compiler/transforms/FuseGlu/FuseGlu.h.inc"

namespace {

mlir::LogicalResult fuseExperts(PassRewriter& rewriter, GluOp glu, ExpertLinearOp gate, ExpertLinearOp up) {
  if (gate.getInput() != up.getInput())
    return rewriter.refuse(glu, "the linears of gate and up read different values");
  if (gate.getEach() || up.getEach())
    return rewriter.refuse(glu, "the linears of gate and up read a row for each choice");
  if (gate.getExperts() != up.getExperts())
    return rewriter.refuse(glu, "the linears of gate and up have experts of different choices");
  if (!gate.getBias() != !up.getBias())
    return rewriter.refuse(glu, "one of gate and up has a bias");

  rewriter.accept(glu, "gate, up and activation are one expert_glu_linear");
  rewriter.setInsertionPoint(glu);
  auto fused = ExpertGluLinearOp::create(rewriter, glu.getLoc(), glu.getType(), glu.getActivation(), gate.getInput(),
                                         gate.getExperts(), gate.getWeight(), up.getWeight(), gate.getBias(),
                                         up.getBias(), gate.getCount());
  copyLayer(glu, fused);
  rewriter.replaceOp(glu, fused);
  rewriter.eraseOp(gate);
  rewriter.eraseOp(up);
  return mlir::success();
}

mlir::LogicalResult fuseGate(PassRewriter& rewriter, GluOp glu, LinearOp gate) {
  if (gate.getBias() || gate.getResidual() || gate.getAdded())
    return rewriter.refuse(glu, "the linear of the gate adds something");
  rewriter.accept(glu, "gate and activation are one linear_glu");
  rewriter.setInsertionPoint(glu);
  auto fused = LinearGluOp::create(rewriter, glu.getLoc(), glu.getType(), glu.getActivation(), gate.getInput(),
                                   gate.getWeight(), glu.getUp());
  copyLayer(glu, fused);
  rewriter.replaceOp(glu, fused);
  rewriter.eraseOp(gate);
  return mlir::success();
}

mlir::LogicalResult fuse(PassRewriter& rewriter, GluOp glu) {
  auto gateExperts = solelyReadProducer<ExpertLinearOp>(glu.getGate());
  auto upExperts = solelyReadProducer<ExpertLinearOp>(glu.getUp());
  if (gateExperts && upExperts)
    return fuseExperts(rewriter, glu, gateExperts, upExperts);
  auto gate = solelyReadProducer<LinearOp>(glu.getGate());
  auto up = solelyReadProducer<LinearOp>(glu.getUp());
  if (gate && !glu.getUp().getDefiningOp<LinearOp>())
    return fuseGate(rewriter, glu, gate);
  if (!gate || !up)
    return rewriter.refuse(glu, "gate or up does not come from a linear that only it reads");
  if (gate.getInput() != up.getInput())
    return rewriter.refuse(glu, "the linears of gate and up read different values");
  if (gate.getBias() || up.getBias())
    return rewriter.refuse(glu, "a linear of gate or up has a bias");
  if (gate.getResidual() || up.getResidual())
    return rewriter.refuse(glu, "a linear of gate or up adds a residual");

  rewriter.accept(glu, "gate, up and activation are one glu_linear");
  rewriter.setInsertionPoint(glu);
  auto fused =
      GluLinearOp::create(rewriter, glu.getLoc(), glu.getType(), glu.getActivation(), gate.getInput(), gate.getWeight(),
                          up.getWeight(), /*int8_input=*/nullptr, gate.getAdded(), up.getAdded());
  copyLayer(glu, fused);
  rewriter.replaceOp(glu, fused);
  rewriter.eraseOp(gate);
  rewriter.eraseOp(up);
  return mlir::success();
}

struct FuseGlu final : impl::FuseGluBase<FuseGlu> {
  void runOnOperation() override {
    PassRewriter rewriter(&getContext(), getArgument());
    for (GluOp glu : collect<GluOp>(getOperation())) (void)fuse(rewriter, glu);
  }
};

} // namespace
} // namespace llcuda
