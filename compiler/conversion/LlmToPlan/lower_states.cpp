// SPDX-License-Identifier: Apache-2.0
// States of slots: codegen/spec/state_spec.h
#include "codegen/spec/state_spec.h"

#include "compiler/conversion/LlmToPlan/phase_lowering.h"

namespace llcuda::llm {

using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;

LogicalResult PhaseLowering::lowerShortConv(ShortConvOp op) {
  const bool int8Rows = isQ8Rows(op.getResult().getType());
  const codegen::ShortConvDesc desc = {.rows = static_cast<uint32_t>(rows),
                                       .columns = static_cast<uint32_t>(columnsOf(op.getResult())),
                                       .taps = static_cast<uint32_t>(op.getTapCount()),
                                       .gated = op.getGated(),
                                       .silu = op.getSilu(),
                                       .f32Rows = !int8Rows || feedsLowRank(op.getResult()),
                                       .int8Rows = int8Rows,
                                       .order = orderOf(/*picked=*/false)};
  if (failed(accept(op, codegen::checkShortConv(desc))))
    return failure();
  const auto bytes = static_cast<int64_t>(codegen::shortConvStateBytes(desc));
  Bindings bindings = {{"x", values[op.getInput()].f32},
                       {"taps", plan.constant(op.getTaps())},
                       {"state", plan.state("short_conv", static_cast<int64_t>(op.getLayer()), bytes)}};
  bindRows(bindings, "y", define(op, op.getResult(), "convolved", rows));
  return emit(op, codegen::shortConvLaunch(desc), bindings);
}

LogicalResult PhaseLowering::lowerDeltaRule(DeltaRuleOp op) {
  const codegen::DeltaRuleDesc desc = {.rows = static_cast<uint32_t>(rows),
                                       .rowBlock = static_cast<uint32_t>(facts.rowBlock),
                                       .keyHeads = static_cast<uint32_t>(op.getKeyHeads()),
                                       .valueHeads = static_cast<uint32_t>(op.getValueHeads()),
                                       .headSize = static_cast<uint32_t>(op.getHeadSize()),
                                       .grouped = op.getGrouped(),
                                       .logRate = op.getLogRate()};
  if (failed(accept(op, codegen::checkDeltaRule(desc))))
    return failure();
  const auto bytes = static_cast<int64_t>(codegen::deltaRuleStateBytes(desc));
  return emit(op, codegen::deltaRuleLaunch(desc),
              {{"x", values[op.getInput()].f32},
               {"decay", values[op.getDecay()].f32},
               {"beta", values[op.getBeta()].f32},
               {"rate", plan.constant(op.getRate())},
               {"dt", plan.constant(op.getDt())},
               {"state", plan.state("delta_rule", static_cast<int64_t>(op.getLayer()), bytes)},
               {"y", define(op, op.getResult(), "recalled", rows).f32}});
}

} // namespace llcuda::llm
