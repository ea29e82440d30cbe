// SPDX-License-Identifier: Apache-2.0
// Linears: codegen/spec/linear_spec.h
#include "codegen/spec/linear_spec.h"

#include "compiler/conversion/LlmToPlan/phase_lowering.h"

namespace llcuda::llm {

using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::Value;

namespace {

/// One weight, its bias and what is added to its product, or nulls.
LinearWeights one(Value weight, Value bias, Value added) {
  LinearWeights weights = {{weight}, {}, {added}};
  if (bias)
    weights.biases.push_back(bias);
  return weights;
}

} // namespace

mlir::FailureOr<codegen::LinearDesc> PhaseLowering::describeLinear(Operation* op, const LinearWeights& weights,
                                                                   const codegen::LinearEpilogue& epilogue) {
  codegen::LinearDesc desc;
  desc.kernels = linearKernels();
  desc.rows = static_cast<uint32_t>(rows);
  desc.bias = !weights.biases.empty();
  desc.epilogue = epilogue;
  for (const Value weight : weights.weights) {
    const auto layout = layoutOf(op, weight);
    if (failed(layout))
      return failure();
    const auto type = llvm::cast<WeightType>(weight.getType());
    desc.inputs = static_cast<uint32_t>(type.getCols());
    desc.parts.push_back({*layout, static_cast<uint32_t>(type.getRows())});
  }
  if (failed(describeAdded(op, weights, desc)))
    return failure();
  return desc;
}

LogicalResult PhaseLowering::emitLinear(Operation* op, const codegen::LinearDesc& desc, RowBuffers& input,
                                        const LinearWeights& weights, Bindings bindings) {
  if (failed(bindInput(op, desc, input, bindings)) || failed(accept(op, codegen::checkLinear(desc))))
    return failure();
  const auto names = codegen::linearPartNames(desc.parts.size());
  for (const auto [name, weight] : llvm::zip_equal(names, weights.weights))
    bindings[name + std::string("weight")] = weightBuffer(weight);
  if (desc.bias)
    for (const auto [name, bias] : llvm::zip_equal(names, weights.biases))
      bindings[name + std::string("bias")] = plan.constant(bias);
  if (desc.lowRank != 0 && failed(bindAdded(op, weights, bindings)))
    return failure();
  return emit(op, codegen::linearLaunch(desc, plan.tiles()), bindings);
}

LogicalResult PhaseLowering::emitLinear(Operation* op, Value input, const LinearWeights& weights,
                                        const codegen::LinearEpilogue& epilogue, const Bindings& bindings) {
  const auto desc = describeLinear(op, weights, epilogue);
  return failed(desc) ? failure() : emitLinear(op, *desc, values[input], weights, bindings);
}

LogicalResult PhaseLowering::lowerLinear(LinearOp op) {
  Bindings bindings = {{"y", define(op, op.getResult(), "projected", rows).f32}};
  if (op.getResidual())
    bindings["residual"] = values[op.getResidual()].f32;
  const codegen::StoreRows epilogue = {.residual = static_cast<bool>(op.getResidual())};
  if (failed(emitLinear(op, op.getInput(), one(op.getWeight(), op.getBias(), op.getAdded()), epilogue, bindings)))
    return failure();
  if (op.getResidual())
    noteResidual(op, op.getResult());
  return mlir::success();
}

// The block that norms the rows has them all to itself: of up to two that takes less time than a launch.
LogicalResult PhaseLowering::lowerLinearResidualNorm(LinearResidualNormOp op) {
  return hasFewRows() && rows <= kMostRowsOfLanes && !isApart(op) ? emitLinearResidualNorm(op) : emitLinearThenNorm(op);
}

// Without a post-norm the linear adds the residual; with one, the launch after it does. Of few rows the norm has as
// many threads as the linear's blocks, of which one would norm a single row: so it has that row's bits.
LogicalResult PhaseLowering::emitLinearThenNorm(LinearResidualNormOp op) {
  const std::string residual = values[op.getResidual()].f32;
  const LinearWeights weights = one(op.getWeight(), op.getBias(), op.getAdded());
  uint32_t threads = 0;
  if (hasFewRows()) {
    const auto desc = describeLinear(op, weights, codegen::StoreRows{});
    if (failed(desc) || failed(accept(op, codegen::checkLinear(*desc))))
      return failure();
    threads = codegen::linearLaunch(*desc, plan.tiles()).kernel.threads;
  }
  if (!op.getPostScale()) {
    const std::string sum = define(op, op.getSum(), "sum", rows).f32;
    if (failed(emitLinear(op, op.getInput(), weights, codegen::StoreRows{.residual = true},
                          {{"residual", residual}, {"y", sum}})))
      return failure();
    noteResidual(op, op.getSum());
    return lowerNorm(op, sum, op.getScale(), op.getEps(), op.getNormed(), threads);
  }
  const std::string product = scratch(op, "product", rows * columnsOf(op.getSum()) * 4);
  if (failed(emitLinear(op, op.getInput(), weights, codegen::StoreRows{}, {{"y", product}})))
    return failure();
  return emitPostNorm(op, product, residual, threads);
}

// Rows that are to be picked are f32: the head picks its own.
LogicalResult PhaseLowering::emitLinearResidualNorm(LinearResidualNormOp op) {
  const bool int8Rows = isQ8Rows(op.getNormed().getType()) && !isPicked(op.getNormed());
  const codegen::NormRows epilogue = {.postNorm = static_cast<bool>(op.getPostScale()),
                                      .eps = op.getEps().convertToFloat(),
                                      .f32Rows = !int8Rows || feedsLowRank(op.getNormed()),
                                      .int8Rows = int8Rows,
                                      .sum = sumFormOf(op)};
  Bindings bindings = {{"residual", values[op.getResidual()].f32},
                       {"y", define(op, op.getSum(), "sum", rows).f32},
                       {"arrivals", plan.counter(1)}};
  if (op.getScale())
    bindings["norm_scale"] = plan.constant(op.getScale());
  if (op.getPostScale()) {
    bindings["post_scale"] = plan.constant(op.getPostScale());
    bindings["product"] = scratch(op, "product", rows * columnsOf(op.getSum()) * 4);
  }
  bindRows(bindings, "normed", define(op, op.getNormed(), "normed", rows, int8Rows));
  if (failed(emitLinear(op, op.getInput(), one(op.getWeight(), op.getBias(), op.getAdded()), epilogue, bindings)))
    return failure();
  noteResidual(op, op.getSum());
  return mlir::success();
}

LogicalResult PhaseLowering::lowerLinearGlu(LinearGluOp op) {
  const RowBuffers up = values[op.getUp()];
  const LinearWeights weights = one(op.getWeight(), {}, {});
  if (!hasFewRows()) {
    const RowBuffers gate = {.f32 = scratch(op, "gate", rows * op.getWeight().getType().getRows() * 4)};
    if (failed(emitLinear(op, op.getInput(), weights, codegen::StoreRows{}, {{"y", gate.f32}})))
      return failure();
    return emitGlu(op, op.getActivation(), gate, up, op.getResult(), rows);
  }
  const bool int8Rows = isQ8Rows(op.getResult().getType());
  const codegen::TimesRows epilogue = {.activation = activationOf(op.getActivation()),
                                       .up = up.view,
                                       .f32Rows = !int8Rows || feedsLowRank(op.getResult()),
                                       .int8Rows = int8Rows};
  Bindings bindings = {{"up", up.floats()}};
  bindRows(bindings, "y", define(op, op.getResult(), "gated", rows));
  return emitLinear(op, op.getInput(), weights, epilogue, bindings);
}

// Gate and up in one launch, where there is a kernel for it.
LogicalResult PhaseLowering::lowerGluLinear(GluLinearOp op) {
  const bool int8Rows = isQ8Rows(op.getResult().getType());
  const LinearWeights weights = {{op.getGateWeight(), op.getUpWeight()}, {}, {op.getGateAdded(), op.getUpAdded()}};
  const codegen::GateRows epilogue = {.activation = activationOf(op.getActivation()),
                                      .f32Rows = !int8Rows || feedsLowRank(op.getResult()),
                                      .int8Rows = int8Rows};
  const auto desc = describeLinear(op, weights, epilogue);
  if (failed(desc))
    return failure();
  if (!hasFewRows() && !codegen::checkLinear(*desc))
    return emitLinearsThenGlu(op);
  Bindings bindings;
  bindRows(bindings, "y", define(op, op.getResult(), "gated", rows));
  return emitLinear(op, *desc, values[op.getInput()], weights, bindings);
}

LogicalResult PhaseLowering::emitLinearsThenGlu(GluLinearOp op) {
  const auto type = llvm::cast<WeightType>(op.getGateWeight().getType());
  const RowBuffers gate = {.f32 = scratch(op, "gate", rows * type.getRows() * 4)};
  const RowBuffers up = {.f32 = scratch(op, "up", rows * type.getRows() * 4)};
  if (failed(emitLinear(op, op.getInput(), one(op.getGateWeight(), {}, op.getGateAdded()), codegen::StoreRows{},
                        {{"y", gate.f32}})) ||
      failed(emitLinear(op, op.getInput(), one(op.getUpWeight(), {}, op.getUpAdded()), codegen::StoreRows{},
                        {{"y", up.f32}})))
    return failure();
  return emitGlu(op, op.getActivation(), gate, up, op.getResult(), rows);
}

} // namespace llcuda::llm
