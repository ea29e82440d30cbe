// SPDX-License-Identifier: Apache-2.0
// What no fusion took in: codegen/spec/elementwise_spec.h
#include "codegen/spec/elementwise_spec.h"

#include "compiler/conversion/LlmToPlan/phase_lowering.h"

namespace llcuda::llm {

using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::Value;

static codegen::ElementsDesc elementsOf(int64_t rows, Value value) {
  return {static_cast<uint32_t>(rows), static_cast<uint32_t>(columnsOf(value))};
}

LogicalResult PhaseLowering::lowerAdd(AddOp op) {
  const RowBuffers lhs = values[op.getLhs()], rhs = values[op.getRhs()];
  const codegen::ElementsDesc desc = elementsOf(lhs.rows, op.getResult());
  if (failed(accept(op, codegen::checkElements("add", desc))))
    return failure();
  const std::string y = define(op, op.getResult(), "sum", lhs.rows).f32;
  if (failed(emit(op, codegen::addLaunch(desc), {{"a", lhs.f32}, {"b", rhs.f32}, {"y", y}})))
    return failure();
  noteResidual(op, op.getResult());
  return mlir::success();
}

LogicalResult PhaseLowering::lowerScale(ScaleOp op) {
  const RowBuffers x = values[op.getInput()];
  const codegen::ElementsDesc desc = elementsOf(x.rows, op.getResult());
  if (failed(accept(op, codegen::checkElements("scale", desc))))
    return failure();
  const std::string y = define(op, op.getResult(), "scaled", x.rows).f32;
  if (failed(emit(op, codegen::scaleLaunch(desc, op.getFactor().convertToFloat()), {{"x", x.f32}, {"y", y}})))
    return failure();
  auto linear = op.getInput().getDefiningOp<LinearOp>();
  if (op.getInput().getDefiningOp<AddOp>() || (linear && linear.getResidual()))
    noteResidual(op, op.getResult());
  return mlir::success();
}

LogicalResult PhaseLowering::lowerSoftcap(SoftcapOp op) {
  const RowBuffers x = values[op.getInput()];
  const codegen::ElementsDesc desc = elementsOf(x.rows, op.getResult());
  if (failed(accept(op, codegen::checkElements("softcap", desc))))
    return failure();
  const std::string y = define(op, op.getResult(), "capped", x.rows).f32;
  return emit(op, codegen::softcapLaunch(desc, op.getCap().convertToFloat()), {{"x", x.f32}, {"y", y}});
}

bool PhaseLowering::readsViews(mlir::OpOperand& use) {
  Operation* reader = use.getOwner();
  if (auto linear = llvm::dyn_cast<LinearGluOp>(reader))
    return &use == &linear.getUpMutable();
  if (auto rows = llvm::dyn_cast<RopeCacheOp>(reader))
    return &use == &rows.getQMutable();
  return llvm::isa<GluOp>(reader);
}

LogicalResult PhaseLowering::lowerTakeColumns(TakeColumnsOp op) {
  const RowBuffers x = values[op.getInput()];
  const bool aligned = op.getFirst() % 4 == 0 && op.getCount() % 4 == 0 && op.getGroup() % 4 == 0;
  if (x.view.isWhole() && aligned && llvm::all_of(op.getResult().getUses(), readsViews)) {
    RowBuffers& view = values[op.getResult()];
    view.rows = x.rows;
    view.f32 = x.f32;
    view.view = {.columns = static_cast<uint32_t>(columnsOf(op.getInput())),
                 .group = static_cast<uint32_t>(op.getGroup()),
                 .count = static_cast<uint32_t>(op.getCount())};
    view.offset = static_cast<int64_t>(op.getFirst()) * 4;
    return mlir::success();
  }
  const codegen::TakeDesc desc = {elementsOf(x.rows, op.getResult()), static_cast<uint32_t>(op.getCount()),
                                  static_cast<uint32_t>(op.getGroup()), static_cast<uint32_t>(op.getFirst())};
  if (failed(accept(op, codegen::checkTakeColumns(desc))))
    return failure();
  const std::string y = define(op, op.getResult(), "taken", x.rows).f32;
  return emit(op, codegen::takeColumnsLaunch(desc), {{"x", x.f32}, {"y", y}});
}

LogicalResult PhaseLowering::pickRows(Operation* op, Value input, RowBuffers& picked) {
  if (values[input].f32.empty())
    return op->emitOpError("reads int8 rows that no norm picked");
  const codegen::ElementsDesc desc = elementsOf(outputs, input);
  if (failed(accept(op, codegen::checkElements("pick_rows", desc))))
    return failure();
  picked.rows = outputs;
  picked.picked = true;
  picked.f32 = scratch(op, "picked", outputs * columnsOf(input) * 4);
  return emit(op, codegen::pickRowsLaunch(desc),
              {{"x", values[input].f32}, {"y", picked.f32}, {"output_rows", pickBuffer()}});
}

} // namespace llcuda::llm
