// SPDX-License-Identifier: Apache-2.0
#include "compiler/conversion/LlmToPlan/phase_lowering.h"

#include "codegen/formats/half_rows.h"
#include "codegen/formats/sampling.h"
#include "codegen/formats/token_score.h"
#include "codegen/pack/pack.h"
#include "codegen/spec/rows_spec.h"
#include "llvm/ADT/TypeSwitch.h"

namespace llcuda::llm {

using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::success;
using mlir::Value;

PhaseLowering::PhaseLowering(PlanBuilder& plan, const PhaseFacts& facts, llvm::ArrayRef<std::string> apart)
    : plan(plan), facts(facts), rows(facts.rows), outputs(facts.outputs), apart(apart), phase(plan.phase(facts)),
      prefix(facts.name() + std::to_string(rows) + ".") {}

LogicalResult PhaseLowering::lower(mlir::func::FuncOp forward) {
  vocabulary = llvm::cast<mlir::ShapedType>(forward.getResultTypes()[0]).getDimSize(1);
  for (Operation& op : forward.getBody().front())
    if (mlir::failed(lowerOp(&op)))
      return failure();
  for (auto& [layer, stream] : streams)
    if (!stream.buffer.empty())
      stream.launch.setTap(stream.buffer);
  return success();
}

void PhaseLowering::noteResidual(Operation* op, Value sum) {
  const RowBuffers& buffers = values[sum];
  const bool whole = !tail && buffers.rows == rows && !isLogits(sum); // a tail may make as many rows, and not run
  if (const int64_t layer = layerOf(op); layer >= 0)
    streams[layer] = {lastLaunch, whole ? buffers.f32 : ""};
}

LogicalResult PhaseLowering::lowerOp(Operation* op) {
  return llvm::TypeSwitch<Operation*, LogicalResult>(op)
      .Case<ParameterOp, RopeTableOp>([](auto) { return success(); }) // made by their users
      .Case([&](EmbeddingOp embedding) { return lowerEmbedding(embedding); })
      .Case([&](RmsNormOp norm) { return lowerRmsNorm(norm); })
      .Case([&](LayerNormOp norm) { return lowerLayerNorm(norm); })
      .Case([&](QuantizeOp quantize) { return lowerQuantize(quantize); })
      .Case([&](GluOp glu) { return lowerGlu(glu); })
      .Case([&](ActivateOp activate) { return lowerActivate(activate); })
      .Case([&](LinearOp linear) { return lowerLinear(linear); })
      .Case([&](LowRankOp product) { return lowerLowRank(product); })
      .Case([&](LinearResidualNormOp linear) { return lowerLinearResidualNorm(linear); })
      .Case([&](GluLinearOp linear) { return lowerGluLinear(linear); })
      .Case([&](LinearGluOp linear) { return lowerLinearGlu(linear); })
      .Case([&](RouteOp route) { return lowerRoute(route); })
      .Case([&](ExpertLinearOp linear) { return lowerExpertLinear(linear); })
      .Case([&](ExpertGluLinearOp linears) { return lowerExpertGluLinear(linears); })
      .Case([&](ExpertSumOp sum) { return lowerExpertSum(sum); })
      .Case([&](QkvLinearOp linears) { return lowerQkvLinear(linears); })
      .Case([&](QkvRopeCacheOp linears) { return lowerQkvRopeCache(linears); })
      .Case([&](RopeCacheOp rows) { return lowerRopeCache(rows); })
      .Case([&](HeadNormOp norm) { return lowerHeadNorm(norm); })
      .Case([&](RopeOp rope) { return lowerRope(rope); })
      .Case([&](CacheWriteOp write) { return lowerCacheWrite(write); })
      .Case([&](AttentionOp attention) { return lowerAttention(attention); })
      .Case([&](ShortConvOp conv) { return lowerShortConv(conv); })
      .Case([&](DeltaRuleOp rule) { return lowerDeltaRule(rule); })
      .Case([&](AddOp add) { return lowerAdd(add); })
      .Case([&](ScaleOp scale) { return lowerScale(scale); })
      .Case([&](TakeColumnsOp take) { return lowerTakeColumns(take); })
      .Case([&](SoftcapOp softcap) { return lowerSoftcap(softcap); })
      .Case([&](HeadOp head) { return lowerHead(head); })
      .Case([&](SampleOp sample) { return lowerSample(sample); })
      .Case([&](mlir::func::ReturnOp done) { return lowerReturn(done); })
      .Default([](Operation* other) { return other->emitOpError("has no kernel"); });
}

bool PhaseLowering::isPicked(Value normed) const {
  return !facts.feedsBack && llvm::all_of(normed.getUsers(), llvm::IsaPred<HeadOp>);
}

mlir::FailureOr<WeightLayout> PhaseLowering::layoutOf(Operation* op, Value weight) {
  auto parameter = weight.getDefiningOp<ParameterOp>();
  if (!parameter)
    return op->emitOpError("reads a weight that is not a parameter");
  const auto type = llvm::cast<WeightType>(weight.getType());
  const std::optional<WeightLayout> layout = type.getLayout();
  if (!layout)
    return op->emitOpError("reads ") << parameter.getName() << ", which has no device layout";
  if (const auto bytes =
          pack::packedBytes(*layout, static_cast<uint64_t>(type.getRows()), static_cast<uint64_t>(type.getCols()));
      !bytes)
    return op->emitOpError("reads ") << parameter.getName() << ": " << bytes.error().message;
  return *layout;
}

std::string PhaseLowering::scratch(Operation* op, const std::string& name, int64_t bytes) {
  const int64_t layer = layerOf(op);
  return plan.arena(prefix + (layer < 0 ? "" : "l" + std::to_string(layer) + ".") + name, bytes);
}

RowBuffers& PhaseLowering::define(Operation* op, Value result, const std::string& name, int64_t rowCount, bool int8Rows,
                                  bool picked) {
  RowBuffers& buffers = values[result];
  buffers.rows = rowCount;
  buffers.picked = picked;
  if (int8Rows)
    addCodes(op, buffers, orderOf(picked), name, columnsOf(result));
  if (!int8Rows || feedsLowRank(result))
    buffers.f32 = rowCount == outputs && isLogits(result) && tail != plan::TailKind::Score
                      ? plan.io(facts, plan::IoRole::Logits, ioBytes(plan::IoRole::Logits))
                      : scratch(op, name, rowCount * columnsOf(result) * 4);
  return buffers;
}

void PhaseLowering::addCodes(Operation* op, RowBuffers& buffers, RowOrder order, const std::string& name,
                             int64_t columns) {
  const auto rowCount = static_cast<uint64_t>(buffers.rows), width = static_cast<uint64_t>(columns);
  buffers.order = order;
  buffers.codes = scratch(op, name + "_codes", static_cast<int64_t>(codesBytes(order, rowCount, width)));
  buffers.scales = scratch(op, name + "_scales", static_cast<int64_t>(scalesBytes(order, rowCount, width)));
}

bool PhaseLowering::isLogits(Value rows) const {
  return !facts.encodes && llvm::any_of(rows.getUses(), [](mlir::OpOperand& use) {
    return llvm::isa<SampleOp, mlir::func::ReturnOp>(use.getOwner()) && use.getOperandNumber() == 0;
  });
}

void PhaseLowering::bindRows(Bindings& bindings, const std::string& name, const RowBuffers& buffers) {
  if (!buffers.f32.empty())
    bindings[name] = buffers.f32;
  if (!buffers.codes.empty()) {
    bindings[name + "_codes"] = buffers.codes;
    bindings[name + "_scales"] = buffers.scales;
  }
  if (!buffers.halves.empty()) {
    bindings[name + "_halves"] = buffers.halves;
    bindings[name + "_half_scales"] = buffers.halfScales;
  }
}

LogicalResult PhaseLowering::provideCodes(Operation* op, const codegen::LinearDesc& desc, RowBuffers& buffers) {
  if (!buffers.codes.empty()) {
    if (buffers.order != codegen::rowOrderOf(desc.kernels, desc.rows))
      return op->emitOpError("reads int8 rows in an order that its kernel does not take");
    return success();
  }
  if (desc.inputs % kRowBlock != 0)
    return op->emitOpError("cannot make int8 rows of ") << desc.inputs << " columns";
  addCodes(op, buffers, orderOf(buffers.picked), "input", desc.inputs);
  const codegen::QuantizeDesc quantize = {static_cast<uint32_t>(buffers.rows), desc.inputs, buffers.order};
  return emit(op, codegen::quantizeLaunch(quantize),
              {{"x", buffers.f32}, {"y_codes", buffers.codes}, {"y_scales", buffers.scales}});
}

void PhaseLowering::addHalves(Operation* op, RowBuffers& buffers, const std::string& name, int64_t columns) {
  const auto rowCount = static_cast<uint64_t>(buffers.rows), width = static_cast<uint64_t>(columns);
  buffers.halves = scratch(op, name + "_halves", static_cast<int64_t>(halvesBytes(rowCount, width)));
  buffers.halfScales = scratch(op, name + "_half_scales", static_cast<int64_t>(halfScalesBytes(rowCount)));
}

PhaseLowering::FloatForms PhaseLowering::floatFormsOf(Value normed) const {
  FloatForms forms;
  for (mlir::OpOperand& use : normed.getUses()) {
    auto linear = llvm::dyn_cast<MultipliesRows>(use.getOwner());
    const bool multiplies =
        linear && &use == &linear.getInputMutable() && !llvm::isa<HeadOp>(use.getOwner()) && !hasFewRows();
    for (const auto weight : multiplies ? linear.getWeights() : llvm::SmallVector<mlir::TypedValue<WeightType>>()) {
      const std::optional<WeightLayout> layout = weight.getType().getLayout();
      const bool takesHalves = layout && weightFacts(*layout).product == WeightProduct::kHalves;
      forms.halves |= takesHalves;
      forms.f32 |= !takesHalves; // int8 rows are made of them
    }
    forms.f32 |= !multiplies;
  }
  return forms;
}

RowBuffers& PhaseLowering::defineNormed(Operation* op, Value normed, int64_t rowCount, bool int8Rows, bool picked,
                                        FloatForms forms) {
  if (int8Rows || forms.f32 || !forms.halves)
    define(op, normed, "normed", rowCount, int8Rows, picked);
  RowBuffers& buffers = values[normed];
  buffers.rows = rowCount;
  buffers.picked = picked;
  if (forms.halves)
    addHalves(op, buffers, "normed", columnsOf(normed));
  return buffers;
}

LogicalResult PhaseLowering::provideHalves(Operation* op, const codegen::LinearDesc& desc, RowBuffers& buffers) {
  if (!buffers.halves.empty())
    return success();
  const codegen::HalfRowsDesc halfRows = {static_cast<uint32_t>(buffers.rows), desc.inputs};
  if (failed(accept(op, codegen::checkHalfRows(halfRows))))
    return failure();
  addHalves(op, buffers, "input", desc.inputs);
  return emit(op, codegen::halfRowsLaunch(halfRows),
              {{"x", buffers.f32}, {"y_halves", buffers.halves}, {"y_half_scales", buffers.halfScales}});
}

LogicalResult PhaseLowering::bindInput(Operation* op, const codegen::LinearDesc& desc, RowBuffers& buffers,
                                       Bindings& bindings) {
  const codegen::RowsRead read = codegen::rowsRead(desc);
  if ((read.f32 || (read.halves && buffers.halves.empty())) && buffers.f32.empty())
    return op->emitOpError("has a weight that is multiplied with f32 or f16 rows, but reads int8 rows");
  if ((read.int8 && failed(provideCodes(op, desc, buffers))) ||
      (read.halves && failed(provideHalves(op, desc, buffers))))
    return failure();
  bindRows(bindings, "x", buffers);
  return success();
}

LogicalResult PhaseLowering::accept(Operation* op, const Result<void>& checked) {
  return checked ? success() : op->emitOpError(checked.error().message);
}

int64_t PhaseLowering::ioBytes(plan::IoRole role) const {
  switch (role) {
  case plan::IoRole::Tokens:
  case plan::IoRole::Positions:
  case plan::IoRole::Slots:
    return rows * 4;
  case plan::IoRole::OutputRows:
  case plan::IoRole::Sampled:
    return outputs * 4;
  case plan::IoRole::ScoreRows:
  case plan::IoRole::ScoreTokens:
    return outputs * 4;
  case plan::IoRole::Scores:
    return outputs * static_cast<int64_t>(sizeof(TokenScore));
  case plan::IoRole::PoolRows:
    return outputs * 8;
  case plan::IoRole::Sampling:
    return outputs * static_cast<int64_t>(sizeof(SamplingParams));
  case plan::IoRole::Logits:
    return outputs * vocabulary * 4;
  case plan::IoRole::SamplingReports:
    return outputs * static_cast<int64_t>(sizeof(SamplingReport));
  case plan::IoRole::TextLengths:
    return plan.limits().maxBatch * 4;
  case plan::IoRole::BlockTable: // of a cache, not of a phase
  case plan::IoRole::Edits:      // of all phases
  case plan::IoRole::Pooled:     // lowerPool() says
  case plan::IoRole::Samplers:   // of slots
  case plan::IoRole::History:
  case plan::IoRole::LogitBiases:
  case plan::IoRole::DryBreakers:
  case plan::IoRole::Masks:
    break;
  }
  llvm_unreachable("a role of a phase");
}

LogicalResult PhaseLowering::emit(Operation* op, const codegen::LaunchSpec& spec, Bindings bindings) {
  for (const codegen::Param& param : spec.kernel.params) {
    if (bindings.contains(param.name))
      continue;
    const std::optional<plan::IoRole> role = plan::symbolizeIoRole(param.name);
    if (!role)
      return op->emitOpError("the kernel ")
             << spec.kernel.name << " wants " << param.name << ", which nothing provides";
    bindings[param.name] = plan.io(facts, *role, ioBytes(*role));
  }
  const auto launch = plan.launch(op, phase.getBody().front(), spec, bindings, tail);
  if (mlir::succeeded(launch))
    lastLaunch = *launch;
  return launch;
}

} // namespace llcuda::llm
