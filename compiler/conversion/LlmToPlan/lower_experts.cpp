// SPDX-License-Identifier: Apache-2.0
// Mixtures of experts: codegen/spec/expert_spec.h. Every phase takes the same kernels, with a launch for all choices of
// its rows.
#include "codegen/spec/expert_spec.h"

#include "codegen/spec/rows_spec.h"
#include "compiler/conversion/LlmToPlan/phase_lowering.h"

namespace llcuda::llm {

using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::Value;

LogicalResult PhaseLowering::lowerRoute(RouteOp op) {
  const RowBuffers logits = values[op.getLogits()];
  const int64_t choices = columnsOf(op.getExperts());
  const codegen::RouteDesc desc = {static_cast<uint32_t>(logits.rows), static_cast<uint32_t>(columnsOf(op.getLogits())),
                                   static_cast<uint32_t>(choices), op.getNormalized()};
  if (failed(accept(op, codegen::checkRoute(desc))))
    return failure();
  const std::string experts = scratch(op, "experts", logits.rows * choices * 4);
  values[op.getExperts()] = {.f32 = experts, .rows = logits.rows};
  const std::string weights = define(op, op.getWeights(), "expert_weights", logits.rows).f32;
  return emit(op, codegen::routeLaunch(desc), {{"logits", logits.f32}, {"experts", experts}, {"weights", weights}});
}

mlir::FailureOr<RowBuffers> PhaseLowering::rowsApart(Operation* op, Value input) {
  if (const auto found = apartRows.find(input); found != apartRows.end())
    return found->second;
  const RowBuffers from = values[input];
  const auto columns = static_cast<uint32_t>(columnsOf(input));
  const codegen::QuantizeDesc desc = {static_cast<uint32_t>(from.rows), columns, RowOrder::kRows};
  if (failed(accept(op, codegen::checkQuantize(desc))))
    return failure();
  RowBuffers made = {.order = RowOrder::kRows, .rows = from.rows};
  const auto count = static_cast<uint64_t>(from.rows);
  made.codes = scratch(op, "expert_codes", static_cast<int64_t>(codesBytes(RowOrder::kRows, count, columns)));
  made.scales = scratch(op, "expert_scales", static_cast<int64_t>(scalesBytes(RowOrder::kRows, count, columns)));
  Bindings bindings = {{"x", from.f32}};
  bindRows(bindings, "y", made);
  if (failed(emit(op, codegen::quantizeLaunch(desc), bindings)))
    return failure();
  apartRows[input] = made;
  return made;
}

LogicalResult PhaseLowering::lowerExpertLinear(ExpertLinearOp op) {
  const auto layout = layoutOf(op, op.getWeight());
  if (failed(layout))
    return failure();
  RowBuffers input = values[op.getInput()];
  if (input.f32.empty())
    return op->emitOpError("reads int8 rows in an order that its kernel does not take");
  const int64_t choices = op.getChoices(), chosen = values[op.getExperts()].rows * choices;
  const codegen::ExpertLinearDesc desc = {.layout = *layout,
                                          .rows = static_cast<uint32_t>(values[op.getExperts()].rows),
                                          .experts = static_cast<uint32_t>(op.getCount()),
                                          .choices = static_cast<uint32_t>(choices),
                                          .inputs = static_cast<uint32_t>(columnsOf(op.getInput())),
                                          .outputs = static_cast<uint32_t>(op.getExpertRows()),
                                          .bias = static_cast<bool>(op.getBias()),
                                          .each = op.getEach()};
  if (failed(accept(op, codegen::checkExpertLinear(desc))))
    return failure();
  if (weightReadsInt8Rows(*layout)) {
    const auto apart = rowsApart(op, op.getInput());
    if (failed(apart))
      return failure();
    input = *apart;
  }
  Bindings bindings = {{"weight", weightBuffer(op.getWeight())},
                       {"experts", values[op.getExperts()].f32},
                       {"y", define(op, op.getResult(), "chosen", chosen).f32}};
  bindRows(bindings, "x", input);
  if (op.getBias())
    bindings["bias"] = plan.constant(op.getBias());
  return emit(op, codegen::expertLinearLaunch(desc, plan.tiles()), bindings);
}

LogicalResult PhaseLowering::lowerExpertSum(ExpertSumOp op) {
  const RowBuffers input = values[op.getInput()], weights = values[op.getWeights()];
  const codegen::ExpertSumDesc desc = {static_cast<uint32_t>(weights.rows),
                                       static_cast<uint32_t>(columnsOf(op.getWeights())),
                                       static_cast<uint32_t>(columnsOf(op.getResult()))};
  if (failed(accept(op, codegen::checkExpertSum(desc))))
    return failure();
  const std::string y = define(op, op.getResult(), "expert_sum", weights.rows).f32;
  return emit(op, codegen::expertSumLaunch(desc), {{"x", input.f32}, {"weights", weights.f32}, {"y", y}});
}

} // namespace llcuda::llm
