// SPDX-License-Identifier: Apache-2.0
// Verifiers, folds and interfaces. The labels C1, C2, ... are those of the op's description.
#include "dialects/llm/Llm.h"

#include <cmath>

#include "dialects/llm/LlmInterfaces.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/llm/LlmOps.cpp.inc"

namespace llcuda::llm {

using mlir::LogicalResult;
using mlir::RankedTensorType;
using mlir::success;
using mlir::Value;

// --- what several verifiers ask --------------------------------------------------------------------------------------

static int64_t dimOf(Value value, unsigned dim) {
  return mlir::cast<RankedTensorType>(value.getType()).getDimSize(dim);
}

/// `what` has `wanted` elements, columns, ...
static LogicalResult checkCount(mlir::Operation* op, llvm::StringRef what, int64_t count, int64_t wanted) {
  if (count == wanted)
    return success();
  return op->emitOpError() << what << " must be " << wanted << ", not " << count;
}

/// Both have the same number of rows, as far as it is known.
static LogicalResult checkSameRows(mlir::Operation* op, llvm::StringRef what, Value value, Value other) {
  const int64_t rows = dimOf(value, 0), wanted = dimOf(other, 0);
  if (rows == wanted || mlir::ShapedType::isDynamic(rows) || mlir::ShapedType::isDynamic(wanted))
    return success();
  return checkCount(op, (what + " rows").str(), rows, wanted);
}

/// Every given value has as many rows as `rows`.
static LogicalResult checkRowIndices(mlir::Operation* op, Value rows, Value positions, Value slots = {}) {
  if (mlir::failed(checkSameRows(op, "positions:", positions, rows)))
    return mlir::failure();
  return slots ? checkSameRows(op, "slots:", slots, rows) : success();
}

/// Columns are static, and a multiple of 32 in int8 rows.
static LogicalResult checkColumns(mlir::Operation* op, llvm::StringRef what, Value value) {
  const int64_t columns = dimOf(value, 1);
  if (mlir::ShapedType::isDynamic(columns))
    return op->emitOpError() << what << " needs a static number of columns";
  if (isQ8Rows(value.getType()) && columns % kQ8Block != 0)
    return op->emitOpError() << what << " has int8 rows of " << columns << " columns, not a multiple of " << kQ8Block;
  return success();
}

static LogicalResult checkSameShape(mlir::Operation* op, llvm::StringRef what, Value value, Value other) {
  if (mlir::failed(checkColumns(op, what, value)) ||
      mlir::failed(checkCount(op, (what + " columns").str(), dimOf(value, 1), dimOf(other, 1))))
    return mlir::failure();
  return checkSameRows(op, what, value, other);
}

static LogicalResult checkPositive(mlir::Operation* op, llvm::StringRef what, const llvm::APFloat& value) {
  if (value.isFinite() && !value.isNegative() && !value.isZero())
    return success();
  return op->emitOpError() << what << " must be finite and positive";
}

static LogicalResult checkPositive(mlir::Operation* op, llvm::StringRef what, std::optional<llvm::APFloat> value) {
  return value ? checkPositive(op, what, *value) : success();
}

/// `input` can be multiplied with `weight`.
static LogicalResult checkProduct(mlir::Operation* op, llvm::StringRef what, Value input, WeightType weight) {
  if (mlir::failed(checkColumns(op, "input", input)))
    return mlir::failure();
  if (dimOf(input, 1) != weight.getCols())
    return op->emitOpError() << "input has " << dimOf(input, 1) << " columns, " << what << " has " << weight.getCols();
  return success();
}

/// `result` is rows of `input` times `weight`.
static LogicalResult checkProductResult(mlir::Operation* op, llvm::StringRef what, Value result, Value input,
                                        WeightType weight) {
  if (mlir::failed(checkColumns(op, what, result)) ||
      mlir::failed(checkCount(op, (what + " columns").str(), dimOf(result, 1), weight.getRows())))
    return mlir::failure();
  return checkSameRows(op, what, result, input);
}

/// `vector`, when it is there, has an element for each row of `weight`.
static LogicalResult checkPerOutput(mlir::Operation* op, llvm::StringRef what, Value vector, WeightType weight) {
  return vector ? checkCount(op, (what + " elements").str(), dimOf(vector, 0), weight.getRows()) : success();
}

static LogicalResult checkTable(mlir::Operation* op, Value table, int64_t headSize) {
  const auto type = mlir::cast<RankedTensorType>(table.getType());
  if (!type.hasStaticShape() || type.getDimSize(2) != 2 || type.getDimSize(0) < 1 || type.getDimSize(1) < 1)
    return op->emitOpError() << "table must be PxNx2, not " << type;
  if (2 * type.getDimSize(1) > headSize)
    return op->emitOpError() << "table turns " << 2 * type.getDimSize(1) << " columns of a head of " << headSize;
  return success();
}

/// `added`, when it is there, is rows of `input` times `weight`.
static LogicalResult checkAdded(mlir::Operation* op, llvm::StringRef what, Value added, Value input,
                                WeightType weight) {
  return added ? checkProductResult(op, what, added, input, weight) : success();
}

template <typename Op>
static LogicalResult checkQkvAdded(Op op) {
  if (mlir::failed(checkAdded(op, "q_added", op.getQAdded(), op.getInput(), op.getQWeight().getType())) ||
      mlir::failed(checkAdded(op, "k_added", op.getKAdded(), op.getInput(), op.getKWeight().getType())))
    return mlir::failure();
  return checkAdded(op, "v_added", op.getVAdded(), op.getInput(), op.getVWeight().getType());
}

template <typename Op>
static LogicalResult checkBiases(Op op) {
  const int count = !!op.getQBias() + !!op.getKBias() + !!op.getVBias();
  if (count != 0 && count != 3)
    return op.emitOpError("needs all three biases or none");
  if (mlir::failed(checkPerOutput(op, "q_bias", op.getQBias(), op.getQWeight().getType())) ||
      mlir::failed(checkPerOutput(op, "k_bias", op.getKBias(), op.getKWeight().getType())))
    return mlir::failure();
  return checkPerOutput(op, "v_bias", op.getVBias(), op.getVWeight().getType());
}

/// The int8 rows beside f32 rows, if they are there.
template <typename Op>
static LogicalResult checkInt8Input(Op op) {
  if (!op.getInt8Input())
    return success();
  if (isQ8Rows(op.getInput().getType()))
    return op.emitOpError("has int8 rows twice");
  return checkSameShape(op, "int8_input", op.getInt8Input(), op.getInput());
}

template <typename Op>
static LogicalResult checkQkvProducts(Op op) {
  if (mlir::failed(checkProduct(op, "q_weight", op.getInput(), op.getQWeight().getType())) ||
      mlir::failed(checkProduct(op, "k_weight", op.getInput(), op.getKWeight().getType())))
    return mlir::failure();
  return checkProduct(op, "v_weight", op.getInput(), op.getVWeight().getType());
}

// --- sources ---------------------------------------------------------------------------------------------------------

LogicalResult ParameterOp::verify() {
  if (getName().empty()) // C1
    return emitOpError("needs the name of a tensor");
  const auto weight = mlir::dyn_cast<WeightType>(getResult().getType());
  if (!weight && mlir::ShapedType::isDynamic(dimOf(getResult(), 0))) // C2
    return emitOpError("needs a static shape");
  if (static_cast<int64_t>(getFirstRow().value_or(0)) < 0) // C3
    return emitOpError("first_row must not be negative");
  const int64_t rows = weight ? weight.getRows() : dimOf(getResult(), 0);
  const auto pair = static_cast<int64_t>(getPairRows().value_or(2));
  if (pair <= 0 || pair % 2 != 0) // C4
    return emitOpError() << "pair_rows must be even and positive, not " << pair;
  const auto group = static_cast<int64_t>(getGroupRows().value_or(pair));
  if (getGroupRows() && (!getPairRows() || group < pair)) // C6
    return emitOpError() << "groups of " << group << " rows need as many pair_rows at most";
  if (getPairRows() && rows % group != 0) // C6
    return emitOpError() << "groups of " << group << " rows do not divide " << rows;
  if (getPlus() && weight) // C5
    return emitOpError("plus is for vectors");
  if (getEncoding() && (weight || !formats::tensorTypeByName(std::string_view(*getEncoding())))) // C7
    return emitOpError() << "encoded '" << *getEncoding() << "' must be an encoding, of a vector";
  return success();
}

void RopeTableOp::build(mlir::OpBuilder& builder, mlir::OperationState& state, int64_t positions,
                        llvm::ArrayRef<double> frequencies, double magnitude, const PositionGrowth& growth) {
  const int64_t shape[] = {positions, static_cast<int64_t>(frequencies.size()), 2};
  build(builder, state, RankedTensorType::get(shape, builder.getF32Type()), builder.getF64ArrayAttr(frequencies),
        builder.getF64FloatAttr(magnitude), growth.rate == 0 ? mlir::FloatAttr() : builder.getF64FloatAttr(growth.rate),
        growth.rate == 0 ? mlir::FloatAttr() : builder.getF64FloatAttr(growth.period));
}

llvm::SmallVector<double> RopeTableOp::getFrequencyValues() {
  return llvm::map_to_vector(getFrequencies().getAsRange<mlir::FloatAttr>(),
                             [](mlir::FloatAttr f) { return f.getValueAsDouble(); });
}

PositionGrowth RopeTableOp::getPositionGrowth() {
  return getGrowth() ? PositionGrowth{getGrowth()->convertToDouble(), getGrowthPeriod()->convertToDouble()}
                     : PositionGrowth();
}

LogicalResult RopeTableOp::verify() {
  const auto type = getResult().getType();
  if (!type.hasStaticShape() || type.getDimSize(0) < 1 || type.getDimSize(1) < 1 || type.getDimSize(2) != 2) // C1
    return emitOpError() << "result must be PxNx2, not " << type;
  if (mlir::failed(checkCount(*this, "frequencies", getFrequencies().size(), type.getDimSize(1)))) // C2
    return mlir::failure();
  if (!llvm::all_of(getFrequencyValues(), [](double f) { return std::isfinite(f) && f >= 0; })) // C2
    return emitOpError("frequencies must be finite and not negative");
  if (mlir::failed(checkPositive(*this, "magnitude", getMagnitude()))) // C3
    return mlir::failure();
  if (!getGrowth() && !getGrowthPeriod())
    return success();
  if (!getGrowth() || !getGrowthPeriod()) // C4
    return emitOpError("growth and its period must be there together");
  if (mlir::failed(checkPositive(*this, "growth", *getGrowth()))) // C4
    return mlir::failure();
  return checkPositive(*this, "the period of the growth", *getGrowthPeriod()); // C4
}

LogicalResult EmbeddingOp::verify() {
  if (mlir::failed(checkSameRows(*this, "result", getResult(), getTokens()))) // C1
    return mlir::failure();
  return checkCount(*this, "result columns", dimOf(getResult(), 1), getWeight().getType().getCols()); // C2
}

// --- norms -----------------------------------------------------------------------------------------------------------

LogicalResult RmsNormOp::verify() {
  if (mlir::failed(checkCount(*this, "scale elements", dimOf(getScale(), 0), dimOf(getInput(), 1))) || // C1
      mlir::failed(checkPositive(*this, "eps", getEps())))                                             // C2
    return mlir::failure();
  return checkSameShape(*this, "result", getResult(), getInput()); // C3
}

LogicalResult LayerNormOp::verify() {
  if (mlir::failed(checkCount(*this, "scale elements", dimOf(getScale(), 0), dimOf(getInput(), 1))) || // C1
      mlir::failed(checkPositive(*this, "eps", getEps())))                                             // C2
    return mlir::failure();
  if (getShift() && mlir::failed(checkCount(*this, "shift elements", dimOf(getShift(), 0), dimOf(getScale(), 0)))) // C4
    return mlir::failure();
  return checkSameShape(*this, "result", getResult(), getInput()); // C3
}

LogicalResult HeadNormOp::verify() {
  const int64_t columns = dimOf(getInput(), 1), head = dimOf(getScale(), 0);
  if (columns <= 0 || head <= 0 || columns % head != 0) // C1
    return emitOpError() << "input columns must be a multiple of the " << head << " elements of scale, not " << columns;
  return checkPositive(*this, "eps", getEps()); // C2
}

// --- linears ---------------------------------------------------------------------------------------------------------

void LinearOp::build(mlir::OpBuilder& builder, mlir::OperationState& state, Value input, Value weight, Value bias,
                     Value residual, Value added) {
  const auto rows = mlir::cast<RankedTensorType>(input.getType()).getDimSize(0);
  const int64_t columns = mlir::cast<WeightType>(weight.getType()).getRows();
  build(builder, state, RankedTensorType::get({rows, columns}, builder.getF32Type()), input, weight, bias, residual,
        added);
}

LogicalResult LinearOp::verify() {
  const WeightType weight = getWeight().getType();
  if (mlir::failed(checkProduct(*this, "weight", getInput(), weight)) ||                    // C1
      mlir::failed(checkProductResult(*this, "result", getResult(), getInput(), weight)) || // C2
      mlir::failed(checkPerOutput(*this, "bias", getBias(), weight)))                       // C3
    return mlir::failure();
  if (getResidual() && mlir::failed(checkSameShape(*this, "residual", getResidual(), getResult()))) // C4
    return mlir::failure();
  return checkAdded(*this, "added", getAdded(), getInput(), weight); // C4
}

LogicalResult LowRankOp::verify() {
  if (mlir::failed(checkProduct(*this, "a", getInput(), getA().getType())) ||                               // C1
      mlir::failed(checkCount(*this, "b columns", getB().getType().getCols(), getA().getType().getRows()))) // C2
    return mlir::failure();
  return checkProductResult(*this, "result", getResult(), getInput(), getB().getType()); // C3
}

void QuantizeOp::build(mlir::OpBuilder& builder, mlir::OperationState& state, Value input) {
  build(builder, state, asQ8Rows(input.getType()), input);
}

LogicalResult QuantizeOp::verify() {
  return checkSameShape(*this, "result", getResult(), getInput()); // C1, C2
}

// --- attention -------------------------------------------------------------------------------------------------------

LogicalResult RopeOp::verify() {
  const int64_t columns = dimOf(getInput(), 1), head = getHeadSize();
  if (head <= 0 || columns <= 0 || columns % head != 0) // C1
    return emitOpError() << "input columns must be a multiple of the head size " << head << ", not " << columns;
  if (mlir::failed(checkTable(*this, getTable(), head)) ||              // C2
      mlir::failed(checkRowIndices(*this, getInput(), getPositions()))) // C3
    return mlir::failure();
  if (!getScale() != !getEps()) // C4
    return emitOpError("needs scale and eps together or neither");
  if (getScale() && mlir::failed(checkCount(*this, "scale elements", dimOf(getScale(), 0), head))) // C4
    return mlir::failure();
  return checkPositive(*this, "eps", getEps()); // C4
}

LogicalResult CacheWriteOp::verify() {
  const int64_t columns = getCache().getType().getColumns();
  if (mlir::failed(checkCount(*this, "keys columns", dimOf(getKeys(), 1), columns)) ||     // C1
      mlir::failed(checkCount(*this, "values columns", dimOf(getValues(), 1), columns)) || // C1
      mlir::failed(checkSameRows(*this, "values:", getValues(), getKeys())))               // C2
    return mlir::failure();
  return checkRowIndices(*this, getKeys(), getPositions(), getSlots()); // C2
}

LogicalResult AttentionOp::verify() {
  const CacheType cache = getCache().getType();
  const int64_t heads = getHeads();
  if (heads <= 0 || heads % cache.getHeads() != 0) // C2
    return emitOpError() << "heads must be a positive multiple of the cache's " << cache.getHeads() << ", not "
                         << heads;
  if (mlir::failed(checkCount(*this, "query columns", dimOf(getQuery(), 1), heads * cache.getHeadSize())) || // C1
      mlir::failed(checkPositive(*this, "scale", getScale())))                                               // C3
    return mlir::failure();
  if (static_cast<int64_t>(getWindow().value_or(1)) <= 0) // C4
    return emitOpError("window must be positive");
  if (mlir::failed(checkPositive(*this, "softcap", getSoftcap())) ||          // C5
      mlir::failed(checkSameShape(*this, "result", getResult(), getQuery()))) // C6
    return mlir::failure();
  if (getSinks() && mlir::failed(checkCount(*this, "sinks elements", dimOf(getSinks(), 0), heads))) // C8
    return mlir::failure();
  return checkRowIndices(*this, getQuery(), getPositions(), getSlots()); // C7
}

// --- interfaces ------------------------------------------------------------------------------------------------------

llvm::SmallVector<mlir::TypedValue<WeightType>> MultipliesRows::getWeights() {
  llvm::SmallVector<mlir::TypedValue<WeightType>> weights;
  for (const Value operand : getOperation()->getOperands())
    if (auto weight = mlir::dyn_cast<mlir::TypedValue<WeightType>>(operand))
      weights.push_back(weight);
  return weights;
}

Value MultipliesRows::getRowsFor(mlir::TypedValue<WeightType> weight) {
  const mlir::OperandRange int8Input = getInt8InputMutable();
  return takesQ8Rows(weight.getType().getEncoding()) && !int8Input.empty() ? int8Input.front()
                                                                           : getInputMutable().get();
}

// --- experts ---------------------------------------------------------------------------------------------------------

LogicalResult RouteOp::verify() {
  const int64_t choices = dimOf(getExperts(), 1);
  if (mlir::failed(checkSameRows(*this, "experts", getExperts(), getLogits())) || // C1
      mlir::failed(checkSameRows(*this, "weights", getWeights(), getLogits())) || // C1
      mlir::failed(checkColumns(*this, "logits", getLogits())) ||
      mlir::failed(checkCount(*this, "weights columns", dimOf(getWeights(), 1), choices))) // C1
    return mlir::failure();
  if (choices < 1 || choices > dimOf(getLogits(), 1)) // C2
    return emitOpError() << "chooses " << choices << " of " << dimOf(getLogits(), 1) << " experts";
  return success();
}

int64_t ExpertLinearOp::getChoices() {
  return dimOf(getExperts(), 1);
}

LogicalResult ExpertLinearOp::verify() {
  const WeightType weight = getWeight().getType();
  const auto count = static_cast<int64_t>(getCount());
  if (mlir::failed(checkProduct(*this, "weight", getInput(), weight))) // C1
    return mlir::failure();
  if (count < 1 || weight.getRows() % count != 0) // C2
    return emitOpError() << "weight has " << weight.getRows() << " rows, which are not those of " << count
                         << " experts";
  if (mlir::failed(checkColumns(*this, "result", getResult())) ||
      mlir::failed(checkCount(*this, "result columns", dimOf(getResult(), 1), getExpertRows()))) // C2
    return mlir::failure();
  return checkPerOutput(*this, "bias", getBias(), weight); // C3
}

int64_t ExpertGluLinearOp::getChoices() {
  return dimOf(getExperts(), 1);
}

LogicalResult ExpertGluLinearOp::verify() {
  const WeightType gate = getGateWeight().getType(), up = getUpWeight().getType();
  const auto count = static_cast<int64_t>(getCount());
  if (mlir::failed(checkProduct(*this, "gate_weight", getInput(), gate)) ||            // C1
      mlir::failed(checkProduct(*this, "up_weight", getInput(), up)) ||                // C1
      mlir::failed(checkCount(*this, "up_weight rows", up.getRows(), gate.getRows()))) // C2
    return mlir::failure();
  if (count < 1 || gate.getRows() % count != 0) // C2
    return emitOpError() << "gate_weight has " << gate.getRows() << " rows, which are not those of " << count
                         << " experts";
  if (mlir::failed(checkColumns(*this, "result", getResult())) ||
      mlir::failed(checkCount(*this, "result columns", dimOf(getResult(), 1), getExpertRows()))) // C2
    return mlir::failure();
  if (!getGateBias() != !getUpBias()) // C3
    return emitOpError("needs both biases or none");
  if (mlir::failed(checkPerOutput(*this, "gate_bias", getGateBias(), gate))) // C3
    return mlir::failure();
  return checkPerOutput(*this, "up_bias", getUpBias(), up); // C3
}

LogicalResult ExpertSumOp::verify() {
  return checkColumns(*this, "input", getInput()); // C1
}

// --- states ----------------------------------------------------------------------------------------------------------

static LogicalResult checkStateLayer(mlir::Operation* op, uint64_t layer) {
  return static_cast<int64_t>(layer) >= 0 ? success() : LogicalResult(op->emitOpError("layer must not be negative"));
}

int64_t ShortConvOp::getTapCount() {
  return dimOf(getTaps(), 0) / dimOf(getResult(), 1);
}

LogicalResult ShortConvOp::verify() {
  if (mlir::failed(checkColumns(*this, "result", getResult()))) // C1
    return mlir::failure();
  const int64_t columns = dimOf(getResult(), 1), taps = dimOf(getTaps(), 0);
  if (mlir::failed(checkCount(*this, "input columns", dimOf(getInput(), 1), (getGated() ? 3 : 1) * columns))) // C1
    return mlir::failure();
  if (columns <= 0 || taps % columns != 0 || taps / columns < 2 || taps / columns > 8) // C2
    return emitOpError() << "taps must have 2 to 8 elements for each of " << columns << " columns, not " << taps;
  if (mlir::failed(checkSameRows(*this, "result", getResult(), getInput())) || // C3
      mlir::failed(checkRowIndices(*this, getInput(), getPositions(), getSlots())))
    return mlir::failure();
  if (getGated() && getSilu()) // C5
    return emitOpError("is gated and has a silu");
  return checkStateLayer(*this, getLayer()); // C4
}

LogicalResult DeltaRuleOp::verify() {
  const auto keyHeads = static_cast<int64_t>(getKeyHeads()), valueHeads = static_cast<int64_t>(getValueHeads());
  const auto size = static_cast<int64_t>(getHeadSize());
  if (size <= 0 || keyHeads <= 0 || valueHeads <= 0 || valueHeads % keyHeads != 0) // C2
    return emitOpError() << "needs value heads that are a positive multiple of the key heads, and a positive head "
                         << "size, not " << valueHeads << " and " << keyHeads << " of " << size;
  if (mlir::failed(checkCount(*this, "result columns", dimOf(getResult(), 1), valueHeads * size)) || // C1
      mlir::failed(checkCount(*this, "input columns", dimOf(getInput(), 1), (2 * keyHeads + valueHeads) * size)))
    return mlir::failure();
  for (auto [what, rows] : {std::pair{"decay", getDecay()}, std::pair{"beta", getBeta()}})
    if (mlir::failed(checkCount(*this, (llvm::Twine(what) + " columns").str(), dimOf(rows, 1), valueHeads)) || // C3
        mlir::failed(checkSameRows(*this, what, rows, getInput())))                                            // C4
      return mlir::failure();
  for (auto [what, vector] : {std::pair{"rate", getRate()}, std::pair{"dt", getDt()}})
    if (mlir::failed(checkCount(*this, (llvm::Twine(what) + " elements").str(), dimOf(vector, 0), valueHeads))) // C3
      return mlir::failure();
  if (mlir::failed(checkSameRows(*this, "result", getResult(), getInput())) || // C4
      mlir::failed(checkRowIndices(*this, getInput(), getPositions(), getSlots())))
    return mlir::failure();
  return checkStateLayer(*this, getLayer()); // C5
}

// --- element by element ----------------------------------------------------------------------------------------------

LogicalResult ScaleOp::verify() {
  return getFactor().isFinite() ? success() : LogicalResult(emitOpError("factor must be finite")); // C1
}

mlir::OpFoldResult ScaleOp::fold(FoldAdaptor) {
  return getFactor().isExactlyValue(1.0) ? getInput() : nullptr;
}

LogicalResult ScaleOp::canonicalize(ScaleOp op, mlir::PatternRewriter& rewriter) {
  auto embedding = op.getInput().getDefiningOp<EmbeddingOp>();
  if (!embedding || embedding.getScale() || !embedding->hasOneUse())
    return rewriter.notifyMatchFailure(op, "input is not an unscaled embedding of one reader");
  rewriter.modifyOpInPlace(embedding, [&] { embedding.setScaleAttr(op.getFactorAttr()); });
  rewriter.replaceOp(op, embedding.getResult());
  return success();
}

LogicalResult SoftcapOp::verify() {
  return checkPositive(*this, "cap", getCap()); // C1
}

LogicalResult SoftcapOp::canonicalize(SoftcapOp op, mlir::PatternRewriter& rewriter) {
  auto head = op.getInput().getDefiningOp<HeadOp>();
  if (!head || head.getSoftcap() || !head->hasOneUse())
    return rewriter.notifyMatchFailure(op, "input is not an uncapped head of one reader");
  rewriter.modifyOpInPlace(head, [&] { head.setSoftcapAttr(op.getCapAttr()); });
  rewriter.replaceOp(op, head.getLogits());
  return success();
}

LogicalResult TakeColumnsOp::verify() {
  const auto count = static_cast<int64_t>(getCount()), group = static_cast<int64_t>(getGroup());
  const auto first = static_cast<int64_t>(getFirst());
  if (count <= 0 || first < 0 || first > group - count) // C2
    return emitOpError() << "cannot take " << count << " of " << group << " columns from " << first;
  if (mlir::failed(checkColumns(*this, "input", getInput()))) // C1
    return mlir::failure();
  const int64_t columns = dimOf(getInput(), 1);
  if (columns % group != 0) // C1
    return emitOpError() << "input columns must be a multiple of " << group << ", not " << columns;
  if (mlir::failed(checkCount(*this, "result columns", dimOf(getResult(), 1), columns / group * count))) // C1
    return mlir::failure();
  return checkSameRows(*this, "result", getResult(), getInput()); // C3
}

LogicalResult GluOp::verify() {
  if (getGate().getType() != getUp().getType()) // C1
    return emitOpError() << "gate and up must have one type, not " << getGate().getType() << " and "
                         << getUp().getType();
  return checkSameShape(*this, "result", getResult(), getGate()); // C2
}

LogicalResult ActivateOp::verify() {
  if (getActivation() == Activation::SwigluOai) // C1
    return emitOpError("activation must be of one value, not swiglu_oai");
  return checkSameShape(*this, "result", getResult(), getInput()); // C2
}

// --- head ------------------------------------------------------------------------------------------------------------

LogicalResult HeadOp::verify() {
  const WeightType weight = getWeight().getType();
  if (mlir::failed(checkProduct(*this, "weight", getInput(), weight)) ||                            // C1
      mlir::failed(checkCount(*this, "logits columns", dimOf(getLogits(), 1), weight.getRows())) || // C2
      mlir::failed(checkSameRows(*this, "logits", getLogits(), getOutputRows())))                   // C2
    return mlir::failure();
  return checkPositive(*this, "softcap", getSoftcap()); // C3
}

LogicalResult SampleOp::verify() {
  if (mlir::failed(checkSameRows(*this, "sampling:", getSampling(), getLogits()))) // C1
    return mlir::failure();
  return checkSameRows(*this, "result:", getResult(), getLogits()); // C1
}

// --- fused -----------------------------------------------------------------------------------------------------------

LogicalResult QkvLinearOp::verify() {
  if (mlir::failed(checkQkvProducts(*this)) ||                                                            // C1
      mlir::failed(checkProductResult(*this, "query", getQuery(), getInput(), getQWeight().getType())) || // C2
      mlir::failed(checkProductResult(*this, "key", getKey(), getInput(), getKWeight().getType())) ||     // C2
      mlir::failed(checkProductResult(*this, "value", getValue(), getInput(), getVWeight().getType())))   // C2
    return mlir::failure();
  if (mlir::failed(checkBiases(*this)) ||  // C3
      mlir::failed(checkInt8Input(*this))) // C4
    return mlir::failure();
  return checkQkvAdded(*this); // C5
}

template <typename Op>
static LogicalResult checkHeadNorms(Op op, int64_t headSize) {
  const int count = !!op.getQScale() + !!op.getKScale() + op.getEps().has_value();
  if (count == 0)
    return success();
  if (count != 3)
    return op.emitOpError("needs q_scale, k_scale and eps together or none");
  if (mlir::failed(checkCount(op, "q_scale elements", dimOf(op.getQScale(), 0), headSize)) ||
      mlir::failed(checkCount(op, "k_scale elements", dimOf(op.getKScale(), 0), headSize)))
    return mlir::failure();
  return checkPositive(op, "eps", op.getEps());
}

LogicalResult QkvRopeCacheOp::verify() {
  const CacheType cache = getCache().getType();
  if (mlir::failed(checkQkvProducts(*this)) ||                                                          // C1
      mlir::failed(checkProductResult(*this, "query", getQuery(), getInput(), getQWeight().getType()))) // C2
    return mlir::failure();
  if (dimOf(getQuery(), 1) % cache.getHeadSize() != 0) // C2
    return emitOpError() << "query columns must be a multiple of the head size " << cache.getHeadSize() << ", not "
                         << dimOf(getQuery(), 1);
  if (mlir::failed(checkCount(*this, "k_weight rows", getKWeight().getType().getRows(), cache.getColumns())) || // C3
      mlir::failed(checkCount(*this, "v_weight rows", getVWeight().getType().getRows(), cache.getColumns())) || // C3
      mlir::failed(checkBiases(*this)) ||                                                                       // C4
      mlir::failed(checkHeadNorms(*this, cache.getHeadSize())) ||                                               // C5
      mlir::failed(checkTable(*this, getTable(), cache.getHeadSize())))                                         // C6
    return mlir::failure();
  if (mlir::failed(checkRowIndices(*this, getInput(), getPositions(), getSlots())) || // C7
      mlir::failed(checkInt8Input(*this)))                                            // C8
    return mlir::failure();
  return checkQkvAdded(*this); // C9
}

LogicalResult RopeCacheOp::verify() {
  const CacheType cache = getCache().getType();
  const int64_t headSize = cache.getHeadSize();
  if (dimOf(getQ(), 1) <= 0 || dimOf(getQ(), 1) % headSize != 0) // C1
    return emitOpError() << "q columns must be a multiple of the head size " << headSize << ", not "
                         << dimOf(getQ(), 1);
  if (mlir::failed(checkSameShape(*this, "query", getQuery(), getQ()))) // C1
    return mlir::failure();
  for (auto [what, rows] : {std::pair{"k", getK()}, std::pair{"v", getV()}})
    if (mlir::failed(checkCount(*this, (llvm::Twine(what) + " columns").str(), dimOf(rows, 1), cache.getColumns())) ||
        mlir::failed(checkSameRows(*this, what, rows, getQ()))) // C2
      return mlir::failure();
  if (mlir::failed(checkHeadNorms(*this, headSize))) // C3
    return mlir::failure();
  if (getVScale() && !getQScale()) // C3
    return emitOpError("needs q_scale and k_scale beside v_scale");
  if (getVScale() && mlir::failed(checkCount(*this, "v_scale elements", dimOf(getVScale(), 0), headSize))) // C3
    return mlir::failure();
  if (mlir::failed(checkTable(*this, getTable(), headSize))) // C4
    return mlir::failure();
  return checkRowIndices(*this, getQ(), getPositions(), getSlots()); // C5
}

LogicalResult LinearGluOp::verify() {
  const WeightType weight = getWeight().getType();
  if (mlir::failed(checkProduct(*this, "weight", getInput(), weight)) ||          // C1
      mlir::failed(checkProductResult(*this, "up", getUp(), getInput(), weight))) // C2
    return mlir::failure();
  return checkProductResult(*this, "result", getResult(), getInput(), weight); // C2
}

LogicalResult GluLinearOp::verify() {
  if (mlir::failed(checkProduct(*this, "gate_weight", getInput(), getGateWeight().getType())) || // C1
      mlir::failed(checkProduct(*this, "up_weight", getInput(), getUpWeight().getType())))       // C1
    return mlir::failure();
  if (mlir::failed(checkCount(*this, "up_weight rows", getUpWeight().getType().getRows(), // C2
                              getGateWeight().getType().getRows())))
    return mlir::failure();
  if (mlir::failed(checkProductResult(*this, "result", getResult(), getInput(), getGateWeight().getType()))) // C2
    return mlir::failure();
  if (mlir::failed(checkInt8Input(*this)) ||                                                                // C3
      mlir::failed(checkAdded(*this, "gate_added", getGateAdded(), getInput(), getGateWeight().getType()))) // C4
    return mlir::failure();
  return checkAdded(*this, "up_added", getUpAdded(), getInput(), getUpWeight().getType()); // C4
}

LogicalResult LinearResidualNormOp::verify() {
  const WeightType weight = getWeight().getType();
  if (mlir::failed(checkProduct(*this, "weight", getInput(), weight)) ||                        // C1
      mlir::failed(checkProductResult(*this, "residual", getResidual(), getInput(), weight)) || // C2
      mlir::failed(checkProductResult(*this, "sum", getSum(), getInput(), weight)) ||           // C2
      mlir::failed(checkPerOutput(*this, "scale", getScale(), weight)) ||                       // C3
      mlir::failed(checkPerOutput(*this, "post_scale", getPostScale(), weight)) ||              // C3
      mlir::failed(checkPerOutput(*this, "bias", getBias(), weight)) ||                         // C3
      mlir::failed(checkPositive(*this, "eps", getEps())) ||                                    // C4
      mlir::failed(checkSameShape(*this, "normed", getNormed(), getSum())))                     // C5
    return mlir::failure();
  if (getFactor() && !getFactor()->isFinite()) // C7
    return emitOpError("factor must be finite");
  if ((getFactor() || !getScale()) && !getPostScale()) // C7
    return emitOpError() << (getFactor() ? "scales" : "emits") << " a sum whose product no post_scale norms";
  return checkAdded(*this, "added", getAdded(), getInput(), weight); // C6
}

} // namespace llcuda::llm
