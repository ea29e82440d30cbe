// SPDX-License-Identifier: Apache-2.0
// Embedding, norms, int8 rows and gated units: codegen/spec/rows_spec.h
#include "codegen/spec/rows_spec.h"

#include "compiler/conversion/LlmToPlan/phase_lowering.h"

namespace llcuda::llm {

using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::Value;

LogicalResult PhaseLowering::lowerEmbedding(EmbeddingOp op) {
  const auto layout = layoutOf(op, op.getWeight());
  if (failed(layout))
    return failure();
  const auto type = llvm::cast<WeightType>(op.getWeight().getType());
  codegen::EmbeddingDesc desc;
  desc.layout = *layout;
  desc.rows = static_cast<uint32_t>(rows);
  desc.columns = static_cast<uint32_t>(type.getCols());
  desc.vocabulary = static_cast<uint32_t>(type.getRows());
  desc.scale = op.getScale() ? op.getScale()->convertToFloat() : 1;
  desc.byPosition = isPositions(op.getTokens());
  if (failed(accept(op, codegen::checkEmbedding(desc))))
    return failure();
  const RowBuffers& y = define(op, op.getResult(), "embedded", rows);
  return emit(op, codegen::embeddingLaunch(desc), {{"weight", weightBuffer(op.getWeight())}, {"y", y.f32}});
}

LogicalResult PhaseLowering::lowerRmsNorm(RmsNormOp op) {
  return lowerNorm(op, values[op.getInput()].f32, op.getScale(), op.getEps(), op.getResult());
}

LogicalResult PhaseLowering::lowerLayerNorm(LayerNormOp op) {
  const bool int8Rows = isQ8Rows(op.getResult().getType());
  const FloatForms forms = int8Rows ? FloatForms{} : floatFormsOf(op.getResult());
  const RowBuffers& y = defineNormed(op, op.getResult(), rows, int8Rows, /*picked=*/false, forms);
  codegen::LayerNormDesc desc;
  desc.rows = static_cast<uint32_t>(rows);
  desc.columns = static_cast<uint32_t>(columnsOf(op.getScale()));
  desc.eps = op.getEps().convertToFloat();
  desc.shift = static_cast<bool>(op.getShift());
  desc.f32Rows = !y.f32.empty();
  desc.int8Rows = !y.codes.empty();
  desc.halfRows = !y.halves.empty();
  desc.order = orderOf(/*picked=*/false);
  if (failed(accept(op, codegen::checkLayerNorm(desc))))
    return failure();
  Bindings bindings = {{"x", values[op.getInput()].f32}, {"scale", plan.constant(op.getScale())}};
  if (op.getShift())
    bindings["shift"] = plan.constant(op.getShift());
  bindRows(bindings, "y", y);
  return emit(op, codegen::layerNormLaunch(desc), bindings);
}

LogicalResult PhaseLowering::lowerNorm(Operation* op, std::string x, Value scale, const llvm::APFloat& eps,
                                       Value result, uint32_t threads) {
  const bool picked = isPicked(result);
  const Norm norm = {op, std::move(x), {}, {}, scale, eps.convertToFloat(), threads};
  if (picked)
    beginTail(norm);
  const bool int8Rows = isQ8Rows(result.getType());
  const FloatForms forms = int8Rows ? FloatForms{} : picked ? FloatForms{.f32 = true} : floatFormsOf(result);
  return emitNorm(norm, defineNormed(op, result, picked ? outputs : rows, int8Rows, picked, forms), picked, {});
}

LogicalResult PhaseLowering::emitNorm(const Norm& norm, const RowBuffers& y, bool picked, const std::string& sum) {
  const auto facts = [&](auto desc) {
    desc.rows = static_cast<uint32_t>(y.rows);
    desc.columns = static_cast<uint32_t>(columnsOf(norm.postScale ? norm.postScale : norm.scale));
    desc.eps = norm.eps;
    desc.pickRows = picked;
    desc.f32Rows = !y.f32.empty();
    desc.int8Rows = !y.codes.empty();
    desc.halfRows = !y.halves.empty();
    desc.order = orderOf(picked);
    desc.threads = norm.threads;
    return desc;
  };
  Bindings bindings = {{"x", norm.x}};
  if (norm.scale)
    bindings["scale"] = plan.constant(norm.scale);
  bindRows(bindings, "y", y);
  if (picked)
    bindings["output_rows"] = pickBuffer();
  if (!norm.postScale) {
    const auto desc = facts(codegen::RmsNormDesc());
    return failed(accept(norm.op, codegen::checkRmsNorm(desc))) ? failure()
                                                                : emit(norm.op, codegen::rmsNormLaunch(desc), bindings);
  }
  bindings["residual"] = norm.residual;
  bindings["post_scale"] = plan.constant(norm.postScale);
  bindings["sum"] = sum;
  codegen::PostNormDesc desc = facts(codegen::PostNormDesc());
  desc.sum = {norm.factor, !norm.scale};
  return failed(accept(norm.op, codegen::checkPostNorm(desc))) ? failure()
                                                               : emit(norm.op, codegen::postNormLaunch(desc), bindings);
}

// The sum of rows that are picked is made of those alone. Where something reads the whole sum, all rows are made, as
// f32: the head picks its own.
LogicalResult PhaseLowering::emitPostNorm(LinearResidualNormOp op, const std::string& product,
                                          const std::string& residual, uint32_t threads) {
  const bool picked = isPicked(op.getNormed()) && op.getSum().use_empty();
  const Norm norm = {op,
                     product,
                     residual,
                     op.getPostScale(),
                     op.getScale(),
                     op.getEps().convertToFloat(),
                     threads,
                     sumFormOf(op).factor};
  if (picked)
    beginTail(norm);
  const int64_t count = picked ? outputs : rows;
  const bool int8Rows = isQ8Rows(op.getNormed().getType()) && picked == isPicked(op.getNormed());
  const bool takesAll = !int8Rows && !picked && !isPicked(op.getNormed());
  const FloatForms forms = int8Rows ? FloatForms{} : takesAll ? floatFormsOf(op.getNormed()) : FloatForms{.f32 = true};
  const std::string sum = define(op, op.getSum(), "sum", count).f32;
  if (failed(emitNorm(norm, defineNormed(op, op.getNormed(), count, int8Rows, picked, forms), picked, sum)))
    return failure();
  noteResidual(op, op.getSum());
  return mlir::success();
}

// The codes stand beside the f32 rows that they were made of: a launch of mixed weights reads both by that one value.
LogicalResult PhaseLowering::lowerQuantize(QuantizeOp op) {
  const RowBuffers input = values[op.getInput()];
  const codegen::QuantizeDesc desc = {static_cast<uint32_t>(input.rows),
                                      static_cast<uint32_t>(columnsOf(op.getInput())), orderOf(input.picked)};
  if (failed(accept(op, codegen::checkQuantize(desc))))
    return failure();
  const RowBuffers codes = define(op, op.getResult(), "quantized", input.rows, /*int8Rows=*/true, input.picked);
  RowBuffers& both = values[op.getInput()];
  both.codes = codes.codes;
  both.scales = codes.scales;
  both.order = codes.order;
  Bindings bindings = {{"x", input.f32}};
  bindRows(bindings, "y", codes);
  return emit(op, codegen::quantizeLaunch(desc), bindings);
}

LogicalResult PhaseLowering::lowerGlu(GluOp op) {
  const RowBuffers gate = values[op.getGate()], up = values[op.getUp()];
  return emitGlu(op, op.getActivation(), gate, up, op.getResult(), gate.rows);
}

LogicalResult PhaseLowering::lowerActivate(ActivateOp op) {
  const RowBuffers x = values[op.getInput()];
  codegen::ActivateDesc desc;
  desc.rows = static_cast<uint32_t>(x.rows);
  desc.columns = static_cast<uint32_t>(columnsOf(op.getResult()));
  desc.activation = activationOf(op.getActivation());
  desc.int8Rows = isQ8Rows(op.getResult().getType());
  desc.f32Rows = !desc.int8Rows || feedsLowRank(op.getResult());
  desc.order = orderOf(/*picked=*/false);
  if (failed(accept(op, codegen::checkActivate(desc))))
    return failure();
  Bindings bindings = {{"x", x.f32}};
  bindRows(bindings, "y", define(op, op.getResult(), "active", x.rows));
  return emit(op, codegen::activateLaunch(desc), bindings);
}

LogicalResult PhaseLowering::emitGlu(Operation* op, llm::Activation activation, const RowBuffers& gate,
                                     const RowBuffers& up, Value result, int64_t count) {
  codegen::GluDesc desc;
  desc.rows = static_cast<uint32_t>(count);
  desc.columns = static_cast<uint32_t>(columnsOf(result));
  desc.activation = activationOf(activation);
  desc.int8Rows = isQ8Rows(result.getType());
  desc.f32Rows = !desc.int8Rows || feedsLowRank(result);
  desc.order = orderOf(/*picked=*/false);
  desc.gate = gate.view;
  desc.up = up.view;
  if (failed(accept(op, codegen::checkGlu(desc))))
    return failure();
  Bindings bindings = {{"gate", gate.floats()}, {"up", up.floats()}};
  bindRows(bindings, "y", define(op, result, "gated", count));
  return emit(op, codegen::gluLaunch(desc), bindings);
}

} // namespace llcuda::llm
