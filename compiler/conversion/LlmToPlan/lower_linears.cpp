// SPDX-License-Identifier: Apache-2.0
// Linears: codegen/spec/linear_spec.h for few rows, linear_prompt_spec.h for many
#include "codegen/spec/linear_prompt_spec.h"
#include "codegen/spec/linear_spec.h"

#include "compiler/conversion/LlmToPlan/phase_lowering.h"

namespace llcuda::llm {

using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::Value;

// y = linear(input, weight) (+ bias) (+ residual), every row of the phase.
LogicalResult PhaseLowering::emitLinear(Operation* op, Value input, Value weight, Value bias,
                                        const std::string& residual, const std::string& y) {
  const auto layout = layoutOf(op, weight);
  Bindings bindings = {{"y", y}};
  if (failed(layout) || failed(bindInput(op, input, *layout, bindings)))
    return failure();
  bindings["weight"] = weightBuffer(weight);
  if (bias)
    bindings["bias"] = plan.constant(bias);
  if (!residual.empty())
    bindings["residual"] = residual;
  const auto type = llvm::cast<WeightType>(weight.getType());
  const auto inputs = static_cast<uint32_t>(type.getCols()), outputs = static_cast<uint32_t>(type.getRows());
  const auto count = static_cast<uint32_t>(rows);
  if (hasFewRows()) {
    const codegen::LinearDesc desc = {*layout, count, inputs, outputs, static_cast<bool>(bias), !residual.empty()};
    return failed(accept(op, codegen::checkLinear(desc)))
               ? failure()
               : emit(op, codegen::linearLaunch(desc, plan.tiles()), bindings);
  }
  const codegen::LinearPromptDesc desc = {*layout, count, inputs, outputs, static_cast<bool>(bias), !residual.empty()};
  if (failed(accept(op, codegen::checkLinearPrompt(desc))))
    return failure();
  return emit(op, codegen::linearPromptLaunch(desc, plan.tiles()), bindings);
}

LogicalResult PhaseLowering::lowerLinear(LinearOp op) {
  const std::string residual = op.getResidual() ? values[op.getResidual()].f32 : "";
  const std::string y = define(op, op.getResult(), "projected", rows).f32;
  if (failed(emitLinear(op, op.getInput(), op.getWeight(), op.getBias(), residual, y)))
    return failure();
  if (op.getResidual())
    noteResidual(op, op.getResult());
  return mlir::success();
}

LogicalResult PhaseLowering::lowerLinearResidualNorm(LinearResidualNormOp op) {
  return hasFewRows() && !isApart(op) ? emitLinearResidualNorm(op) : emitLinearThenNorm(op);
}

// Without a post-norm the linear adds the residual; with one, the launch after it does.
LogicalResult PhaseLowering::emitLinearThenNorm(LinearResidualNormOp op) {
  const std::string residual = values[op.getResidual()].f32;
  if (!op.getPostScale()) {
    const std::string sum = define(op, op.getSum(), "sum", rows).f32;
    if (failed(emitLinear(op, op.getInput(), op.getWeight(), op.getBias(), residual, sum)))
      return failure();
    noteResidual(op, op.getSum());
    return lowerNorm(op, sum, op.getScale(), op.getEps(), op.getNormed());
  }
  const std::string product = scratch(op, "product", rows * columnsOf(op.getSum()) * 4);
  if (failed(emitLinear(op, op.getInput(), op.getWeight(), op.getBias(), "", product)))
    return failure();
  return emitPostNorm(op, product, residual);
}

// Rows that are to be picked are f32: the head picks its own.
LogicalResult PhaseLowering::emitLinearResidualNorm(LinearResidualNormOp op) {
  const std::string residual = values[op.getResidual()].f32;
  const std::string sum = define(op, op.getSum(), "sum", rows).f32;
  const auto layout = layoutOf(op, op.getWeight());
  Bindings bindings = {{"residual", residual}, {"y", sum}};
  if (failed(layout) || failed(bindInput(op, op.getInput(), *layout, bindings)))
    return failure();
  const auto type = llvm::cast<WeightType>(op.getWeight().getType());
  codegen::LinearResidualNormDesc desc;
  desc.layout = *layout;
  desc.rows = static_cast<uint32_t>(rows);
  desc.inputs = static_cast<uint32_t>(type.getCols());
  desc.outputs = static_cast<uint32_t>(type.getRows());
  desc.bias = static_cast<bool>(op.getBias());
  desc.postNorm = static_cast<bool>(op.getPostScale());
  desc.eps = op.getEps().convertToFloat();
  desc.int8Rows = isQ8Rows(op.getNormed().getType()) && !isPicked(op.getNormed());
  desc.f32Rows = !desc.int8Rows;
  if (failed(accept(op, codegen::checkLinearResidualNorm(desc))))
    return failure();
  bindings["weight"] = weightBuffer(op.getWeight());
  bindings["norm_scale"] = plan.constant(op.getScale());
  bindings["arrivals"] = plan.counter(1);
  if (op.getPostScale()) {
    bindings["post_scale"] = plan.constant(op.getPostScale());
    bindings["product"] = scratch(op, "product", rows * columnsOf(op.getSum()) * 4);
  }
  if (op.getBias())
    bindings["bias"] = plan.constant(op.getBias());
  bindRows(bindings, "normed", define(op, op.getNormed(), "normed", rows, desc.int8Rows));
  if (failed(emit(op, codegen::linearResidualNormLaunch(desc, plan.tiles()), bindings)))
    return failure();
  noteResidual(op, op.getSum());
  return mlir::success();
}

LogicalResult PhaseLowering::lowerGluLinear(GluLinearOp op) {
  const auto gate = layoutOf(op, op.getGateWeight()), up = layoutOf(op, op.getUpWeight());
  if (failed(gate) || failed(up))
    return failure();
  if (hasFewRows())
    return emitGluLinear(op, *gate, *up);
  const int64_t outputs = llvm::cast<WeightType>(op.getGateWeight().getType()).getRows();
  const bool joins = *gate == *up && weightTakesTensorCores(*gate) && outputs % kQ8Block == 0;
  return joins ? emitGluLinearPrompt(op, *gate) : emitLinearsThenGlu(op);
}

LogicalResult PhaseLowering::emitLinearsThenGlu(GluLinearOp op) {
  const auto type = llvm::cast<WeightType>(op.getGateWeight().getType());
  const std::string gate = scratch(op, "gate", rows * type.getRows() * 4);
  const std::string up = scratch(op, "up", rows * type.getRows() * 4);
  if (failed(emitLinear(op, op.getInput(), op.getGateWeight(), {}, "", gate)) ||
      failed(emitLinear(op, op.getInput(), op.getUpWeight(), {}, "", up)))
    return failure();
  return emitGlu(op, op.getActivation(), gate, up, op.getResult());
}

namespace {

/// What the descriptions of both launches have in common.
template <typename Desc>
Desc gluDesc(GluLinearOp op, int64_t rows) {
  const auto type = llvm::cast<WeightType>(op.getGateWeight().getType());
  Desc desc;
  desc.rows = static_cast<uint32_t>(rows);
  desc.inputs = static_cast<uint32_t>(type.getCols());
  desc.outputs = static_cast<uint32_t>(type.getRows());
  desc.activation = op.getActivation() == Activation::Silu ? llcuda::Activation::kSilu : llcuda::Activation::kGeluTanh;
  desc.f32Rows = !isQ8Rows(op.getResult().getType());
  desc.int8Rows = !desc.f32Rows;
  return desc;
}

} // namespace

LogicalResult PhaseLowering::emitGluLinearPrompt(GluLinearOp op, WeightLayout layout) {
  auto desc = gluDesc<codegen::GluLinearPromptDesc>(op, rows);
  desc.layout = layout;
  Bindings bindings;
  if (failed(bindGluLinear(op, {layout}, bindings)) || failed(accept(op, codegen::checkGluLinearPrompt(desc))))
    return failure();
  return emit(op, codegen::gluLinearPromptLaunch(desc, plan.tiles()), bindings);
}

LogicalResult PhaseLowering::emitGluLinear(GluLinearOp op, WeightLayout gate, WeightLayout up) {
  auto desc = gluDesc<codegen::GluLinearDesc>(op, rows);
  desc.gateLayout = gate;
  desc.upLayout = up;
  Bindings bindings;
  if (failed(bindGluLinear(op, {gate, up}, bindings)) || failed(accept(op, codegen::checkGluLinear(desc))))
    return failure();
  return emit(op, codegen::gluLinearLaunch(desc, plan.tiles()), bindings);
}

LogicalResult PhaseLowering::bindGluLinear(GluLinearOp op, llvm::ArrayRef<WeightLayout> layouts, Bindings& bindings) {
  if (failed(bindInput(op, op.getInput(), layouts, bindings)))
    return failure();
  bindings["gate_weight"] = weightBuffer(op.getGateWeight());
  bindings["up_weight"] = weightBuffer(op.getUpWeight());
  bindRows(bindings, "y", define(op, op.getResult(), "gated", rows));
  return mlir::success();
}

} // namespace llcuda::llm
