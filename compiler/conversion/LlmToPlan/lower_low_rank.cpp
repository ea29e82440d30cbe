// SPDX-License-Identifier: Apache-2.0
// Low-rank products of adapters: codegen/spec/low_rank_spec.h
//
// Of many rows a launch makes the inner products, once for all that read the same rows by the same a; linears of few
// rows do. All linears add the outer ones.
#include "codegen/spec/low_rank_spec.h"

#include "compiler/conversion/LlmToPlan/phase_lowering.h"

namespace llcuda::llm {

using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::success;
using mlir::Value;

LogicalResult PhaseLowering::lowerLowRank(LowRankOp op) {
  for (const Value weight : {op.getA(), op.getB()}) {
    const auto layout = layoutOf(op, weight);
    if (failed(layout))
      return failure();
    if (*layout != WeightLayout::kF16Rows)
      return op.emitOpError("has weights of another encoding than f16, which no kernel does");
  }
  if (hasFewRows() || lowRows(op).rows != 0)
    return success();
  const auto type = llvm::cast<WeightType>(op.getA().getType());
  const std::string low = scratch(op, "low", rows * type.getRows() * 4);
  lowRows(op).rows = rows;
  lowRows(op).f32 = low;
  const codegen::LowRankDesc desc = {static_cast<uint32_t>(rows), static_cast<uint32_t>(type.getCols()),
                                     static_cast<uint32_t>(type.getRows())};
  if (failed(accept(op, codegen::checkLowRank(desc))))
    return failure();
  return emit(op, codegen::lowRankLaunch(desc),
              {{"a", weightBuffer(op.getA())}, {"x", values[op.getInput()].f32}, {"low", low}});
}

mlir::FailureOr<LowRankOp> PhaseLowering::lowRankOf(Operation* op, Value added) {
  if (auto product = added.getDefiningOp<LowRankOp>())
    return product;
  return op->emitOpError("adds what is no low_rank, which no kernel does");
}

LogicalResult PhaseLowering::describeAdded(Operation* op, const LinearWeights& weights, codegen::LinearDesc& desc) {
  for (const auto [part, added] : llvm::zip(desc.parts, weights.added)) {
    if (!added)
      continue;
    const auto product = lowRankOf(op, added);
    if (failed(product))
      return failure();
    part.lowRank = true;
    desc.lowRank = static_cast<uint32_t>(llvm::cast<WeightType>(LowRankOp(*product).getB().getType()).getCols());
  }
  return success();
}

LogicalResult PhaseLowering::bindAdded(Operation* op, const LinearWeights& weights, Bindings& bindings) {
  const auto names = codegen::linearPartNames(weights.weights.size());
  LowRankOp first;
  for (const auto [name, added] : llvm::zip(names, weights.added)) {
    if (!added)
      continue;
    auto product = lowRankOf(op, added);
    if (failed(product))
      return failure();
    if (first &&
        (first.getInput() != product->getInput() || weightBuffer(first.getA()) != weightBuffer(product->getA())))
      return op->emitOpError("adds products of different inner products, which no kernel does");
    first = *product;
    bindings[name + std::string("low_weight")] = weightBuffer(product->getB());
  }
  if (!hasFewRows()) {
    bindings["low"] = lowRows(first).f32;
    return success();
  }
  const auto type = llvm::cast<WeightType>(first.getA().getType());
  bindings["low"] = scratch(op, "low", rows * type.getRows() * 4);
  bindings["low_inner"] = weightBuffer(first.getA());
  bindings["low_counts"] = plan.counter(3);
  return success();
}

} // namespace llcuda::llm
