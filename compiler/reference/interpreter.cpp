// SPDX-License-Identifier: Apache-2.0
#include "compiler/reference/interpreter.h"

#include "codegen/formats/dequantize.h"
#include "codegen/formats/kv_names.h"
#include "codegen/reference/cache_rounding.h"
#include "codegen/reference/rope_table.h"
#include "codegen/reference/route.h"
#include "compiler/reference/interpreter_frame.h"
#include "llvm/ADT/TypeSwitch.h"

namespace llcuda::reference {
namespace {

RopePairs pairsOf(llm::RopePairs pairs) {
  return pairs == llm::RopePairs::Adjacent ? RopePairs::kAdjacent : RopePairs::kHalves;
}

Activation activationOf(llm::Activation activation) {
  return static_cast<Activation>(activation); // the same numbers: compiler/emit/schema_enums.cpp
}

double number(std::optional<llvm::APFloat> attribute, double fallback) {
  return attribute ? static_cast<double>(attribute->convertToFloat()) : fallback;
}

} // namespace

Result<Interpreter> Interpreter::create(mlir::func::FuncOp forward, const ingest::Checkpoint& checkpoint,
                                        unsigned threads) {
  Interpreter interpreter(threads);
  interpreter.forward = forward;
  LLCUDA_RETURN_IF_ERROR(interpreter.collect(checkpoint));
  return interpreter;
}

Result<void> Interpreter::collect(const ingest::Checkpoint& checkpoint) {
  std::optional<Error> failure;
  forward.walk([&](mlir::Operation* op) {
    for (const mlir::Value operand : op->getOperands()) lastUse[operand] = op;
    if (auto table = llvm::dyn_cast<llm::RopeTableOp>(op)) {
      const auto positions = static_cast<size_t>(llvm::cast<mlir::ShapedType>(table.getType()).getDimSize(0));
      const llvm::SmallVector<double> frequencies = table.getFrequencyValues();
      tables[table] = {
          positions, frequencies.size(),
          ropeTable(frequencies, table.getMagnitude().convertToDouble(), positions, table.getPositionGrowth())};
    }
    auto parameter = llvm::dyn_cast<llm::ParameterOp>(op);
    if (!parameter || failure)
      return;
    Result<models::Parameter> found = models::Parameter::find(parameter, checkpoint);
    if (!found)
      failure = found.error();
    else if (!formats::canDequantize(found->encoding()))
      failure = unsupported("tensor ", checkpoint.title(parameter.getName()), " is ",
                            formats::tensorTypeInfo(found->encoding()).name, ", an encoding that is not supported");
    else if (llvm::isa<llm::WeightType>(parameter.getType()))
      weights[parameter] = *found;
    else
      vectors[parameter] = found->vector();
  });
  if (failure)
    return *std::move(failure);
  return {};
}

Result<Matrix> Interpreter::run(const Step& step) {
  Frame frame{.step = step};
  for (size_t i = 0; i < step.tokens.size(); ++i)
    frame.positions.push_back(step.firstPosition + static_cast<int32_t>(i));
  for (mlir::Operation& op : forward.getBody().front()) {
    if (auto done = llvm::dyn_cast<mlir::func::ReturnOp>(op))
      return std::move(frame.values[done.getOperand(0)]);
    LLCUDA_RETURN_IF_ERROR(execute(&op, frame));
    for (const mlir::Value operand : op.getOperands())
      if (lastUse[operand] == &op)
        frame.values.erase(operand);
  }
  return internalError("the function returns nothing");
}

Result<void> Interpreter::checkRows(llm::EmbeddingOp op, std::span<const int32_t> rows) {
  const int64_t count = llvm::cast<llm::WeightType>(op.getWeight().getType()).getRows();
  for (const int32_t row : rows)
    if (row < 0 || row >= count)
      return llm::isPositions(op.getTokens()) ? usageError("position ", row, " is past the maximum context of ", count)
                                              : usageError("token ", row, " is not in the vocabulary of ", count);
  return {};
}

std::span<const float> Interpreter::vectorOf(mlir::Value value) const {
  if (!value)
    return {};
  const auto found = vectors.find(value);
  assert(found != vectors.end() && "vectors are parameters");
  return found->second;
}

Result<Matrix> Interpreter::rotate(const Matrix& x, mlir::Value table, llm::RopePairs pairs, size_t headSize,
                                   const Frame& frame) const {
  const RopeTable& angles = tables.find(table)->second;
  if (static_cast<size_t>(frame.positions.back()) >= angles.positions)
    return usageError("position ", frame.positions.back(), " is past the maximum context of ", angles.positions);
  return ops.rope(x, angles, frame.positions, pairsOf(pairs), headSize);
}

void Interpreter::writeCache(mlir::Value value, const Matrix& keys, const Matrix& values, const Frame& frame) {
  const auto type = llvm::cast<llm::CacheType>(value.getType());
  Cache& cache = caches[type.getLayer()];
  const auto append = [&](Matrix& stored, const Matrix& added, formats::TensorType encoding) {
    stored.rows = static_cast<size_t>(frame.positions.back()) + 1;
    stored.cols = added.cols;
    stored.values.resize(stored.rows * stored.cols);
    for (size_t r = 0; r < added.rows; ++r) {
      float* const row = stored.row(static_cast<size_t>(frame.positions[r]));
      std::copy_n(added.row(r), added.cols, row);
      if (const auto kept = kvTypeOf(encoding)) // f32 is kept as it is
        roundToCache(*kept, row, added.cols);
    }
  };
  append(cache.keys, keys, type.getKeyEncoding());
  append(cache.values, values, type.getValueEncoding());
}

Matrix Interpreter::attend(llm::AttentionOp op, const Frame& frame) {
  const auto type = llvm::cast<llm::CacheType>(op.getCache().getType());
  const AttentionShape shape = {.heads = static_cast<size_t>(op.getHeads()),
                                .kvHeads = static_cast<size_t>(type.getHeads()),
                                .headSize = static_cast<size_t>(type.getHeadSize())};
  const CausalAttention variant = {.scale = op.getScale().convertToFloat(),
                                   .softcap = number(op.getSoftcap(), 0),
                                   .window = static_cast<size_t>(op.getWindow().value_or(0)),
                                   .sinks = op.getSinks() ? vectorOf(op.getSinks()).data() : nullptr};
  const Matrix& query = frame.at(op.getQuery());
  const Cache& cache = caches[type.getLayer()];
  if (!op.getBothWays())
    return ops.attention(shape, variant, query, cache, frame.positions);
  const TwoWayAttention whole = {variant, static_cast<size_t>(frame.positions.back()) + 1};
  return ops.attention(shape, whole, query, cache, frame.positions);
}

Matrix Interpreter::convolve(llm::ShortConvOp op, const Frame& frame) {
  const Matrix& x = frame.at(op.getInput());
  const auto columns = static_cast<size_t>(llm::columnsOf(op.getResult()));
  const auto first = static_cast<size_t>(frame.positions.front());
  Matrix& inputs = convolved[static_cast<int64_t>(op.getLayer())];
  inputs.rows = first + x.rows;
  inputs.cols = columns;
  inputs.values.resize(inputs.rows * columns);
  for (size_t r = 0; r < x.rows; ++r)
    for (size_t c = 0; c < columns; ++c)
      inputs.row(first + r)[c] = op.getGated() ? x.row(r)[c] * x.row(r)[2 * columns + c] : x.row(r)[c];
  Matrix y = ops.shortConv(inputs, first, vectorOf(op.getTaps()), op.getSilu());
  for (size_t r = 0; op.getGated() && r < y.rows; ++r)
    for (size_t c = 0; c < columns; ++c) y.row(r)[c] *= x.row(r)[columns + c];
  return y;
}

Result<Matrix> Interpreter::recall(llm::DeltaRuleOp op, const Frame& frame) {
  const DeltaRuleShape shape = {.keyHeads = static_cast<size_t>(op.getKeyHeads()),
                                .valueHeads = static_cast<size_t>(op.getValueHeads()),
                                .headSize = static_cast<size_t>(op.getHeadSize()),
                                .grouped = op.getGrouped(),
                                .logRate = op.getLogRate()};
  DeltaState& state = learnt[static_cast<int64_t>(op.getLayer())];
  if (frame.positions.front() == 0)
    state = {0, std::vector<float>(shape.stateElements())};
  if (state.position != frame.positions.front())
    return internalError("a delta rule at position ", state.position, " is asked to go on at ",
                         frame.positions.front());
  return ops.deltaRule(shape, frame.at(op.getInput()), frame.at(op.getDecay()), frame.at(op.getBeta()),
                       vectorOf(op.getRate()), vectorOf(op.getDt()), state);
}

Result<void> Interpreter::execute(mlir::Operation* operation, Frame& frame) {
  std::optional<Result<Matrix>> result; // of an op with one result that is rows
  const auto at = [&](mlir::Value value) -> const Matrix& { return frame.at(value); };
  llvm::TypeSwitch<mlir::Operation*>(operation)
      .Case([&](llm::EmbeddingOp op) {
        const std::span<const int32_t> rows = llm::isPositions(op.getTokens()) ? frame.positions : frame.step.tokens;
        if (const Result<void> checked = checkRows(op, rows); !checked)
          result = checked.error();
        else
          result = ops.embedding(rows, weights[op.getWeight()], number(op.getScale(), 1));
      })
      .Case<llm::RmsNormOp, llm::HeadNormOp>([&](auto op) {
        result = ops.rmsNorm(at(op.getInput()), vectorOf(op.getScale()), op.getEps().convertToFloat());
      })
      .Case([&](llm::LayerNormOp op) {
        result = ops.layerNorm(at(op.getInput()), vectorOf(op.getScale()), vectorOf(op.getShift()),
                               op.getEps().convertToFloat());
      })
      .Case([&](llm::LinearOp op) {
        Matrix y = product(op, op.getWeight(), op.getBias(), op.getAdded(), frame);
        result = op.getResidual() ? ops.add(y, at(op.getResidual())) : std::move(y);
      })
      .Case([&](llm::ExpertLinearOp op) {
        result = ops.expertLinear(at(op.getInput()), at(op.getExperts()), weights[op.getWeight()],
                                  vectorOf(op.getBias()), op.getCount(), op.getEach());
      })
      .Case([&](llm::ExpertGluLinearOp op) {
        const auto side = [&](mlir::TypedValue<llm::WeightType> weight, mlir::Value bias) {
          return ops.expertLinear(at(op.getInput()), at(op.getExperts()), weights[weight], vectorOf(bias),
                                  op.getCount(), /*each=*/false);
        };
        result = ops.glu(activationOf(op.getActivation()), side(op.getGateWeight(), op.getGateBias()),
                         side(op.getUpWeight(), op.getUpBias()));
      })
      .Case([&](llm::ExpertSumOp op) { result = ops.expertSum(at(op.getInput()), at(op.getWeights())); })
      .Case([&](llm::LowRankOp op) {
        result = ops.linear(ops.linear(at(op.getInput()), weights[op.getA()], {}), weights[op.getB()], {});
      })
      .Case([&](llm::RopeOp op) {
        const Matrix& x = at(op.getInput());
        const auto headSize = static_cast<size_t>(op.getHeadSize());
        result = rotate(op.getScale() ? ops.rmsNorm(x, vectorOf(op.getScale()), number(op.getEps(), 0)) : x,
                        op.getTable(), op.getPairs(), headSize, frame);
      })
      .Case([&](llm::AttentionOp op) { result = attend(op, frame); })
      .Case(
          [&](llm::GluOp op) { result = ops.glu(activationOf(op.getActivation()), at(op.getGate()), at(op.getUp())); })
      .Case([&](llm::ShortConvOp op) { result = convolve(op, frame); })
      .Case([&](llm::DeltaRuleOp op) { result = recall(op, frame); })
      .Case([&](llm::TakeColumnsOp op) {
        result = ops.takeColumns(at(op.getInput()), op.getCount(), op.getGroup(), op.getFirst());
      })
      .Case([&](llm::ActivateOp op) { result = ops.activate(activationOf(op.getActivation()), at(op.getInput())); })
      .Case([&](llm::AddOp op) { result = ops.add(at(op.getLhs()), at(op.getRhs())); })
      .Case([&](llm::ScaleOp op) { result = ops.scale(at(op.getInput()), op.getFactor().convertToFloat()); })
      .Case([&](llm::SoftcapOp op) { result = ops.softcap(at(op.getInput()), op.getCap().convertToFloat()); })
      .Case([&](llm::QuantizeOp op) { result = at(op.getInput()); }) // set() rounds to the result's type
      .Case([&](llm::GluLinearOp op) {
        result =
            ops.glu(activationOf(op.getActivation()), product(op, op.getGateWeight(), {}, op.getGateAdded(), frame),
                    product(op, op.getUpWeight(), {}, op.getUpAdded(), frame));
      })
      .Case([&](llm::LinearGluOp op) {
        result = ops.glu(activationOf(op.getActivation()), product(op, op.getWeight(), {}, {}, frame), at(op.getUp()));
      })
      .Case([&](llm::HeadOp op) {
        const Matrix& x = at(op.getInput());
        Matrix wanted(frame.step.outputRows.size(), x.cols);
        for (size_t i = 0; i < wanted.rows; ++i)
          std::copy_n(x.row(static_cast<size_t>(frame.step.outputRows[i])), x.cols, wanted.row(i));
        Matrix logits = ops.linear(wanted, weights[op.getWeight()], {});
        result = op.getSoftcap() ? ops.softcap(logits, number(op.getSoftcap(), 0)) : std::move(logits);
      });
  if (!result)
    return executeFused(operation, frame);
  if (!*result)
    return result->error();
  if (frame.step.onResult)
    frame.step.onResult(operation, **result);
  frame.set(operation->getResult(0), std::move(**result), ops);
  return {};
}

Matrix Interpreter::product(llm::MultipliesRows op, mlir::TypedValue<llm::WeightType> weight, mlir::Value bias,
                            mlir::Value added, const Frame& frame) {
  Matrix y = ops.linear(frame.at(op.getRowsFor(weight)), weights[weight], vectorOf(bias));
  return added ? ops.add(y, frame.at(added)) : y;
}

template <typename Op>
Result<void> Interpreter::turnAndKeep(Op op, Matrix query, Matrix key, const Matrix& value, Frame& frame) {
  const auto headSize = static_cast<size_t>(llvm::cast<llm::CacheType>(op.getCache().getType()).getHeadSize());
  if (op.getQScale()) {
    query = ops.rmsNorm(query, vectorOf(op.getQScale()), number(op.getEps(), 0));
    key = ops.rmsNorm(key, vectorOf(op.getKScale()), number(op.getEps(), 0));
  }
  LLCUDA_ASSIGN_OR_RETURN(query, rotate(query, op.getTable(), op.getPairs(), headSize, frame));
  LLCUDA_ASSIGN_OR_RETURN(key, rotate(key, op.getTable(), op.getPairs(), headSize, frame));
  writeCache(op.getCache(), key, value, frame);
  frame.set(op.getQuery(), std::move(query), ops);
  return {};
}

// Ops with several results or none that is rows.
Result<void> Interpreter::executeFused(mlir::Operation* operation, Frame& frame) {
  if (llvm::isa<llm::ParameterOp, llm::RopeTableOp, llm::SampleOp>(operation))
    return {}; // collected beforehand; what follows the logits is the caller's
  if (auto op = llvm::dyn_cast<llm::CacheWriteOp>(operation)) {
    writeCache(op.getCache(), frame.at(op.getKeys()), frame.at(op.getValues()), frame);
    return {};
  }
  if (auto op = llvm::dyn_cast<llm::RouteOp>(operation)) {
    const Matrix& logits = frame.at(op.getLogits());
    const auto choices = static_cast<size_t>(llm::columnsOf(op.getExperts()));
    Matrix experts(logits.rows, choices), chosen(logits.rows, choices);
    std::vector<int32_t> indices(experts.values.size());
    route<float>(logits.values.data(), logits.rows, logits.cols, choices, op.getNormalized(), indices.data(),
                 chosen.values.data());
    std::ranges::copy(indices, experts.values.begin()); // f32 holds them
    frame.set(op.getExperts(), std::move(experts), ops);
    frame.set(op.getWeights(), std::move(chosen), ops);
    return {};
  }
  if (auto op = llvm::dyn_cast<llm::QkvLinearOp>(operation)) {
    frame.set(op.getQuery(), product(op, op.getQWeight(), op.getQBias(), op.getQAdded(), frame), ops);
    frame.set(op.getKey(), product(op, op.getKWeight(), op.getKBias(), op.getKAdded(), frame), ops);
    frame.set(op.getValue(), product(op, op.getVWeight(), op.getVBias(), op.getVAdded(), frame), ops);
    return {};
  }
  if (auto op = llvm::dyn_cast<llm::QkvRopeCacheOp>(operation)) {
    return turnAndKeep(op, product(op, op.getQWeight(), op.getQBias(), op.getQAdded(), frame),
                       product(op, op.getKWeight(), op.getKBias(), op.getKAdded(), frame),
                       product(op, op.getVWeight(), op.getVBias(), op.getVAdded(), frame), frame);
  }
  if (auto op = llvm::dyn_cast<llm::RopeCacheOp>(operation)) {
    Matrix value = frame.at(op.getV());
    if (op.getVScale())
      value = ops.rmsNorm(value, vectorOf(op.getVScale()), number(op.getEps(), 0));
    return turnAndKeep(op, frame.at(op.getQ()), frame.at(op.getK()), value, frame);
  }
  if (auto op = llvm::dyn_cast<llm::LinearResidualNormOp>(operation)) {
    Matrix y = product(op, op.getWeight(), op.getBias(), op.getAdded(), frame);
    const double eps = op.getEps().convertToFloat();
    if (op.getPostScale())
      y = ops.rmsNorm(y, vectorOf(op.getPostScale()), eps);
    Matrix sum = ops.add(y, frame.at(op.getResidual()));
    if (op.getFactor())
      sum = ops.scale(sum, op.getFactor()->convertToFloat());
    frame.set(op.getNormed(), op.getScale() ? ops.rmsNorm(sum, vectorOf(op.getScale()), eps) : sum, ops);
    frame.set(op.getSum(), std::move(sum), ops);
    return {};
  }
  return unsupported("the interpreter does not know ", operation->getName().getStringRef().str());
}

} // namespace llcuda::reference
