// SPDX-License-Identifier: Apache-2.0
// Mixtures of experts: codegen/spec/expert_spec.h. Phases of few rows multiply each choice by itself, those of many
// sort the choices first.
#include "codegen/spec/expert_spec.h"

#include "codegen/spec/rows_spec.h"
#include "compiler/conversion/LlmToPlan/phase_lowering.h"

namespace llcuda::llm {

using mlir::failed;
using mlir::failure;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::Value;

static Result<void> check(const codegen::ExpertLinearDesc& desc) {
  return codegen::checkExpertLinear(desc);
}
static Result<void> check(const codegen::ExpertGluDesc& desc) {
  return codegen::checkExpertGlu(desc);
}

template <typename Op, typename Desc>
LogicalResult PhaseLowering::bindExperts(Op op, Value input, bool each, Desc& desc, Bindings& bindings) {
  const Value experts = op.getExperts();
  if (!sortsChoices(experts)) {
    if (failed(accept(op, check(desc))))
      return failure();
    const auto rowBuffers = rowsApart(op, input, codegen::rowsRead(desc));
    if (failed(rowBuffers))
      return failure();
    bindRows(bindings, "x", *rowBuffers);
    bindings["experts"] = values[experts].f32;
    return mlir::success();
  }
  const auto choices = sortedChoices(op, experts, static_cast<int64_t>(desc.experts));
  if (failed(choices))
    return failure();
  desc.tileRows = choices->desc.tileRows;
  if (failed(accept(op, check(desc))))
    return failure();
  const auto rowBuffers = sortedRows(op, input, each, *choices, codegen::rowsRead(desc));
  if (failed(rowBuffers))
    return failure();
  bindRows(bindings, "x", *rowBuffers);
  bindings["sorted"] = choices->sorted;
  bindings["tile_experts"] = choices->tileExperts;
  return mlir::success();
}

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

mlir::FailureOr<RowBuffers> PhaseLowering::rowsApart(Operation* op, Value input, const codegen::RowsRead& read) {
  RowBuffers rowsOfInput = values[input];
  if (read.f32 && rowsOfInput.f32.empty())
    return op->emitOpError("has a weight that is multiplied with f32 rows, but reads int8 rows");
  if (!read.int8)
    return rowsOfInput;
  if (!rowsOfInput.codes.empty() && rowsOfInput.order == RowOrder::kRows)
    return rowsOfInput;
  if (rowsOfInput.f32.empty())
    return op->emitOpError("reads int8 rows in an order that its kernel does not take");
  const auto [place, isNew] = apartRows.try_emplace(input);
  RowBuffers& made = place->second;
  if (isNew) {
    const auto columns = static_cast<uint32_t>(columnsOf(input));
    const codegen::QuantizeDesc desc = {static_cast<uint32_t>(rowsOfInput.rows), columns, RowOrder::kRows};
    if (failed(accept(op, codegen::checkQuantize(desc))))
      return failure();
    made.f32 = rowsOfInput.f32;
    made.rows = rowsOfInput.rows;
    addCodes(op, made, RowOrder::kRows, "expert", columns);
    if (failed(emit(op, codegen::quantizeLaunch(desc),
                    {{"x", made.f32}, {"y_codes", made.codes}, {"y_scales", made.scales}})))
      return failure();
  }
  return made;
}

bool PhaseLowering::sortsChoices(Value experts) {
  const auto takesTensorCores = [](mlir::TypedValue<WeightType> weight) {
    const std::optional<WeightLayout> layout = weight.getType().getLayout();
    return layout && weightTakesTensorCores(*layout);
  };
  return !hasFewRows() && llvm::all_of(experts.getUsers(), [&](Operation* user) {
    if (auto linear = llvm::dyn_cast<ExpertLinearOp>(user))
      return takesTensorCores(linear.getWeight());
    auto glu = llvm::dyn_cast<ExpertGluLinearOp>(user);
    return glu && takesTensorCores(glu.getGateWeight()) &&
           glu.getGateWeight().getType().getLayout() == glu.getUpWeight().getType().getLayout() &&
           llvm::all_of(glu.getResult().getUsers(), [&](Operation* reader) {
             auto down = llvm::dyn_cast<ExpertLinearOp>(reader);
             return down && down.getEach() && down.getExperts() == experts;
           });
  });
}

mlir::FailureOr<PhaseLowering::SortedChoices> PhaseLowering::sortedChoices(Operation* op, Value experts,
                                                                           int64_t count) {
  const auto [place, isNew] = sorts.try_emplace(experts);
  SortedChoices& sort = place->second;
  if (isNew) {
    const auto rowCount = static_cast<uint32_t>(values[experts].rows), all = static_cast<uint32_t>(count);
    const auto choices = static_cast<uint32_t>(columnsOf(experts));
    sort.desc = {rowCount, all, choices,
                 codegen::expertTileRows(rowCount, all, choices, plan.tiles().anyRows && !facts.feedsBack)};
    if (failed(accept(op, codegen::checkSortChoices(sort.desc))))
      return failure();
    sort.sorted = scratch(op, "sorted", int64_t{sort.desc.sortedRows()} * 4);
    sort.tileExperts = scratch(op, "tile_experts", int64_t{sort.desc.tiles()} * 4);
    if (failed(emit(op, codegen::sortChoicesLaunch(sort.desc),
                    {{"experts", values[experts].f32}, {"sorted", sort.sorted}, {"tile_experts", sort.tileExperts}})))
      return failure();
  }
  return sort;
}

mlir::FailureOr<RowBuffers> PhaseLowering::sortedRows(Operation* op, Value input, bool each,
                                                      const SortedChoices& choices, const codegen::RowsRead& read) {
  const auto [place, isNew] = sortedForms.try_emplace(input);
  RowBuffers& made = place->second; // of a gated unit already those that its readers want
  made.order = RowOrder::kFragments;
  made.rows = choices.desc.sortedRows();
  const bool lacksCodes = read.int8 && made.codes.empty(), lacksHalves = read.halves && made.halves.empty();
  const auto columns = static_cast<uint32_t>(columnsOf(input));
  if (lacksHalves && !made.f32.empty()) { // sorted already
    const codegen::HalfRowsDesc desc = {static_cast<uint32_t>(made.rows), columns};
    if (failed(accept(op, codegen::checkHalfRows(desc))))
      return failure();
    addHalves(op, made, "sorted", columns);
    if (failed(emit(op, codegen::halfRowsLaunch(desc),
                    {{"x", made.f32}, {"y_halves", made.halves}, {"y_half_scales", made.halfScales}})))
      return failure();
    return made;
  }
  if (!lacksCodes && !lacksHalves)
    return made;
  const std::string from = values[input].f32;
  if (from.empty())
    return op->emitOpError("sorts rows that are not held as f32 rows");
  for (const bool halfRows : {false, true}) {
    if (halfRows ? !lacksHalves : !lacksCodes)
      continue;
    const codegen::SortedRowsDesc desc = {choices.desc, columns, each, halfRows};
    if (failed(accept(op, codegen::checkSortedRows(desc))))
      return failure();
    Bindings bindings = {{"x", from}, {"sorted", choices.sorted}};
    if (halfRows) {
      addHalves(op, made, "sorted", columns);
      bindings["y_halves"] = made.halves;
      bindings["y_half_scales"] = made.halfScales;
    } else {
      addCodes(op, made, RowOrder::kFragments, "sorted", columns);
      bindings["y_codes"] = made.codes;
      bindings["y_scales"] = made.scales;
    }
    if (failed(emit(op, codegen::sortedRowsLaunch(desc), bindings)))
      return failure();
  }
  return made;
}

LogicalResult PhaseLowering::lowerExpertLinear(ExpertLinearOp op) {
  const auto layout = layoutOf(op, op.getWeight());
  if (failed(layout))
    return failure();
  const int64_t choices = op.getChoices(), chosen = values[op.getExperts()].rows * choices;
  codegen::ExpertLinearDesc desc = {.layout = *layout,
                                    .rows = static_cast<uint32_t>(values[op.getExperts()].rows),
                                    .experts = static_cast<uint32_t>(op.getCount()),
                                    .choices = static_cast<uint32_t>(choices),
                                    .inputs = static_cast<uint32_t>(columnsOf(op.getInput())),
                                    .outputs = static_cast<uint32_t>(op.getExpertRows()),
                                    .bias = static_cast<bool>(op.getBias()),
                                    .each = op.getEach()};
  Bindings bindings;
  if (failed(bindExperts(op, op.getInput(), op.getEach(), desc, bindings)))
    return failure();
  bindings["weight"] = weightBuffer(op.getWeight());
  bindings["y"] = define(op, op.getResult(), "chosen", chosen).f32;
  if (op.getBias())
    bindings["bias"] = plan.constant(op.getBias());
  return emit(op, codegen::expertLinearLaunch(desc, plan.tiles()), bindings);
}

LogicalResult PhaseLowering::lowerExpertGluLinear(ExpertGluLinearOp op) {
  const auto gate = layoutOf(op, op.getGateWeight()), up = layoutOf(op, op.getUpWeight());
  if (failed(gate) || failed(up))
    return failure();
  const int64_t choices = op.getChoices();
  bool int8Rows = false, f32Rows = op.getResult().use_empty();
  for (Operation* reader : op.getResult().getUsers()) {
    auto down = llvm::dyn_cast<ExpertLinearOp>(reader);
    const std::optional<WeightLayout> layout = down ? down.getWeight().getType().getLayout() : std::nullopt;
    const bool takesInt8 = layout && weightReadsInt8Rows(*layout);
    int8Rows |= takesInt8;
    f32Rows |= !takesInt8;
  }
  codegen::ExpertGluDesc desc = {.gate = *gate,
                                 .up = *up,
                                 .rows = static_cast<uint32_t>(values[op.getExperts()].rows),
                                 .experts = static_cast<uint32_t>(op.getCount()),
                                 .choices = static_cast<uint32_t>(choices),
                                 .inputs = static_cast<uint32_t>(columnsOf(op.getInput())),
                                 .outputs = static_cast<uint32_t>(op.getExpertRows()),
                                 .bias = static_cast<bool>(op.getGateBias()),
                                 .activation = activationOf(op.getActivation()),
                                 .f32Rows = f32Rows,
                                 .int8Rows = int8Rows};
  Bindings bindings;
  if (failed(bindExperts(op, op.getInput(), false, desc, bindings)))
    return failure();
  RowBuffers made;
  made.rows = desc.tileRows == 0 ? int64_t{desc.rows} * choices : sorts[op.getExperts()].desc.sortedRows();
  if (f32Rows)
    made.f32 = scratch(op, "gated", made.rows * desc.outputs * 4);
  if (int8Rows)
    addCodes(op, made, desc.tileRows == 0 ? RowOrder::kRows : RowOrder::kFragments, "gated", desc.outputs);
  bindRows(bindings, "y", made);
  (desc.tileRows == 0 ? values : sortedForms)[op.getResult()] = made;
  bindings["gate_weight"] = weightBuffer(op.getGateWeight());
  bindings["up_weight"] = weightBuffer(op.getUpWeight());
  if (desc.bias) {
    bindings["gate_bias"] = plan.constant(op.getGateBias());
    bindings["up_bias"] = plan.constant(op.getUpBias());
  }
  return emit(op, codegen::expertGluLaunch(desc, plan.tiles()), bindings);
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
