// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/model_builder.h"

#include <cmath>

#include "codegen/formats/dequantize.h"
#include "compiler/ingest/low_rank_tensors.h"
#include "compiler/models/family.h"
#include "compiler/models/gguf_rope.h"
#include "mlir/IR/Verifier.h"

namespace llcuda::models {
namespace {

using mlir::RankedTensorType;
using mlir::ShapedType;
using mlir::Value;

Value valueOf(Rows rows) {
  return Value::getFromOpaquePointer(rows.value);
}

Rows rowsOf(Value value) {
  return {value.getAsOpaquePointer()};
}

llm::Activation activationOf(Activation activation) {
  return static_cast<llm::Activation>(activation); // the same numbers: compiler/emit/schema_enums.cpp
}

/// A matrix of one row is a vector in GGUF files, which do not write dimensions of 1 at the end.
std::vector<uint64_t> withoutLastOnes(std::vector<uint64_t> dims) {
  while (dims.size() > 1 && dims.back() == 1) dims.pop_back();
  return dims;
}

/// Kinds of files write dimensions in opposite orders.
std::string shapeText(const std::vector<uint64_t>& dims) {
  if (dims.size() == 1)
    return std::to_string(dims[0]) + " elements";
  if (dims.size() == 2)
    return std::to_string(dims[1]) + " rows of " + std::to_string(dims[0]);
  std::string text;
  for (const uint64_t dim : dims) text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text;
}

} // namespace

ModelBuilder::ModelBuilder(mlir::MLIRContext* context, const ingest::Checkpoint& checkpoint, const ModelConfig& config,
                           const ImportOptions& options)
    : checkpoint(checkpoint), config(config), options(options), builder(mlir::UnknownLoc::get(context), context),
      module(mlir::ModuleOp::create(builder.getLoc())), caches(config.layers.size()),
      taken({kRopeDivisors, kRopeShortFactors, kRopeLongFactors}) {
  for (const RopeConfig& rope : config.ropes)
    tables.push_back({ropeAngles(rope, config.trainedContext, options.maxContext), {}});
  const auto index = RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
  const auto samplingRows = RankedTensorType::get({ShapedType::kDynamic}, llm::SamplingType::get(context));
  builder.setInsertionPointToEnd(module->getBody());
  const auto type = config.bothWays ? builder.getFunctionType({index, index, index}, {rows(config.embedding)})
                                    : builder.getFunctionType({index, index, index, index, samplingRows},
                                                              {rows(config.vocabulary), index});
  forward = mlir::func::FuncOp::create(builder, "forward", type);
  const char* names[] = {"tokens", "positions", "slots", "output_rows", "sampling"};
  Value* arguments[] = {&tokens, &positions, &slots, &outputRows, &sampling};
  mlir::Block* body = forward.addEntryBlock();
  for (unsigned i = 0; i < type.getNumInputs(); ++i) {
    forward.setArgAttr(i, "llm.io", builder.getStringAttr(names[i]));
    *arguments[i] = body->getArgument(i);
  }
  builder.setInsertionPointToEnd(body);
}

// --- parameters ------------------------------------------------------------------------------------------------------

std::string ModelBuilder::named(std::string_view name) const {
  return (currentLayer < 0 ? "" : "blk." + std::to_string(currentLayer) + ".") + std::string(name);
}

RankedTensorType ModelBuilder::rows(int64_t columns) const {
  return RankedTensorType::get({ShapedType::kDynamic, columns}, mlir::Float32Type::get(builder.getContext()));
}

void ModelBuilder::fail(Error error) {
  if (!failure)
    failure = std::move(error);
}

const ingest::TensorInfo* ModelBuilder::take(const std::string& name, const std::vector<uint64_t>& dims) {
  taken.insert(name);
  const ingest::TensorInfo* tensor = checkpoint.find(name);
  if (!tensor) {
    fail(badInput("the model has no tensor ", checkpoint.title(name)));
    return nullptr;
  }
  if (withoutLastOnes(tensor->dims) != withoutLastOnes(dims)) {
    fail(badInput("tensor ", checkpoint.title(name), " is ", shapeText(tensor->dims), ", the model's numbers ask for ",
                  shapeText(dims)));
    return nullptr;
  }
  return tensor;
}

// Where the file turns halves, the rows that turn are paired, since kernels turn adjacent rows.
Value ModelBuilder::parameter(mlir::Type type, const std::string& name, Part part, uint64_t firstRow,
                              mlir::FloatAttr plus, mlir::StringAttr encoding) {
  const bool paired = part.turns && config.pairOrder == PairOrder::kHalves;
  const uint64_t turned = paired ? config.ropes[layer().rope].dimensions : 0;
  const uint64_t head = !paired ? 0 : part.headRows != 0 ? part.headRows : layer().headSize;
  const auto number = [&](bool present, uint64_t value) {
    return present ? builder.getI64IntegerAttr(static_cast<int64_t>(value)) : mlir::IntegerAttr();
  };
  return create<llm::ParameterOp>(type, builder.getStringAttr(name), number(firstRow != 0, firstRow),
                                  number(paired, turned), number(paired && turned != head, head), plus, encoding);
}

Value ModelBuilder::weight(const std::string& name, Part part, uint64_t cols) {
  const ingest::TensorInfo* tensor = take(name, {cols, part.total});
  const formats::TensorType encoding = tensor ? tensor->type : formats::TensorType::kF32;
  const auto type =
      llm::WeightType::get(builder.getContext(), static_cast<int64_t>(part.rows), static_cast<int64_t>(cols), encoding);
  return parameter(type, name, part, part.first, mlir::FloatAttr(), mlir::StringAttr());
}

Value ModelBuilder::vector(const std::string& name, Part part, float plus) {
  return vectorOf(take(name, {part.total}), name, part, plus);
}

Value ModelBuilder::vectorOf(const ingest::TensorInfo* tensor, const std::string& name, Part part, float plus) {
  mlir::StringAttr encoding;
  if (tensor && tensor->type != formats::TensorType::kF32) {
    const formats::TensorTypeInfo& info = formats::tensorTypeInfo(tensor->type);
    const std::string_view stored = info.name;
    if (!formats::canDequantize(tensor->type) || part.rows % info.blockElements != 0)
      fail(unsupported("tensor ", checkpoint.title(name), " is ", stored, ", which cannot be read as a vector"));
    encoding = builder.getStringAttr(llvm::StringRef(stored.data(), stored.size()));
  }
  const auto type = RankedTensorType::get({static_cast<int64_t>(part.rows)}, builder.getF32Type());
  return parameter(type, name, part, part.first / part.rows,
                   plus == 0 ? mlir::FloatAttr() : builder.getF32FloatAttr(plus), encoding);
}

std::optional<float> ModelBuilder::scalar(const std::string& name) {
  if (!has(name))
    return std::nullopt;
  const ingest::TensorInfo* tensor = take(name, {1});
  if (!tensor)
    return std::nullopt;
  const Result<ingest::TensorBytes> stored = checkpoint.read(*tensor);
  float value = 0;
  if (!stored)
    fail(stored.error());
  else if (const auto& info = formats::tensorTypeInfo(stored->type);
           info.blockElements != 1 || !formats::canDequantize(stored->type))
    fail(unsupported("tensor ", checkpoint.title(name), " is ", info.name, ", it must be f32, f16 or bf16"));
  else
    formats::dequantizeRow(stored->type, stored->bytes.data(), 1, &value);
  if (!failure && !std::isfinite(value))
    fail(badInput("tensor ", checkpoint.title(name), " is ", value, ", which is not finite"));
  return value;
}

Value ModelBuilder::scaled(Value input, double factor) {
  return factor == 1
             ? input
             : create<llm::ScaleOp>(input.getType(), input, builder.getF32FloatAttr(static_cast<float>(factor)));
}

Value ModelBuilder::lowRank(Rows input, const std::string& name, Part part, uint64_t cols) {
  const ingest::TensorInfo* output = checkpoint.find(ingest::lowRankOutputName(name + ".weight"));
  if (!output)
    return {};
  const uint64_t rank = output->dims.front();
  const Value a = weight(ingest::lowRankInputName(name + ".weight"), {0, rank, rank}, cols);
  return create<llm::LowRankOp>(rows(static_cast<int64_t>(part.rows)), valueOf(input), a,
                                weight(output->name, part, rank));
}

// `.input_scale` is for activations of the weight's own encoding, which are not used here.
Rows ModelBuilder::linear(Rows input, std::string_view shortName, Part part, uint64_t cols) {
  const std::string name = named(shortName);
  const std::string biasName = name + ".bias";
  const Value matrix = weight(name + ".weight", part, cols);
  const Value bias = has(biasName) ? vector(biasName, part, 0) : Value();
  const std::optional<float> factor = scalar(name + ".scale");
  (void)scalar(name + ".input_scale");
  const Value added = lowRank(input, name, part, cols);
  const Value product = create<llm::LinearOp>(valueOf(input), matrix, bias, Value(), added);
  if (!factor)
    return rowsOf(product);
  if (bias || added)
    fail(unsupported("tensor ", checkpoint.title(name + ".scale"),
                     " stands beside a bias or an adapter, which is not "
                     "supported"));
  return rowsOf(create<llm::ScaleOp>(product.getType(), product, builder.getF32FloatAttr(*factor)));
}

// --- the pieces of a model -------------------------------------------------------------------------------------------

void ModelBuilder::build(const Family& family) {
  Rows x = embedding();
  if (family.begin)
    x = family.begin(*this, x);
  for (currentLayer = 0; static_cast<size_t>(currentLayer) < config.layers.size(); ++currentLayer)
    x = family.layer(*this, x);
  currentLayer = -1;
  if (!family.encoder)
    return head(x);
  create<mlir::func::ReturnOp>(valueOf(family.end ? family.end(*this, x) : x));
}

Rows ModelBuilder::embedding() {
  embeddings = weight("token_embd.weight", {0, config.vocabulary, config.vocabulary}, config.embedding);
  const auto scale = config.embeddingScale == 1 ? mlir::FloatAttr()
                                                : builder.getF32FloatAttr(static_cast<float>(config.embeddingScale));
  const Value embedded = create<llm::EmbeddingOp>(rows(config.embedding), tokens, embeddings, scale);
  if (config.layerEmbedding != 0)
    ownEmbeddings = layerEmbeddings(embedded);
  return rowsOf(embedded);
}

// All layers' in one: norm(x / sqrt(width)) is the norm of x by an epsilon as many times as large as x^2 is.
Value ModelBuilder::layerEmbeddings(Value embedded) {
  const uint64_t columns = config.layerEmbedding, all = columns * config.layers.size();
  const auto factor = [&](double value) { return builder.getF32FloatAttr(static_cast<float>(value)); };
  const Value table = weight("per_layer_token_embd.weight", {0, config.vocabulary, config.vocabulary}, all);
  const Value token = create<llm::EmbeddingOp>(rows(static_cast<int64_t>(all)), tokens, table,
                                               factor(std::sqrt(static_cast<double>(columns))));
  const Value projection = weight("per_layer_model_proj.weight", {0, all, all}, config.embedding);
  const Value projected = create<llm::LinearOp>(embedded, projection);
  const Value scale = vector("per_layer_proj_norm.weight", {0, columns, columns}, config.normPlus);
  const Value context = create<llm::HeadNormOp>(projected, scale, config.normEps * config.embedding);
  return scaled(create<llm::AddOp>(context.getType(), context, token), std::sqrt(0.5));
}

Rows ModelBuilder::rmsNorm(Rows input, std::string_view name) {
  const Value scale = vector(named(name) + ".weight", {0, config.embedding, config.embedding}, config.normPlus);
  return rowsOf(create<llm::RmsNormOp>(valueOf(input), scale, config.normEps));
}

Rows ModelBuilder::layerNorm(Rows input, std::string_view name) {
  const ModelBuilder::Part whole = {0, config.embedding, config.embedding};
  const std::string shiftName = named(name) + ".bias";
  const Value scale = vector(named(name) + ".weight", whole, config.normPlus);
  const Value shift = has(shiftName) ? vector(shiftName, whole, 0) : Value();
  return rowsOf(create<llm::LayerNormOp>(valueOf(input).getType(), valueOf(input), scale, shift,
                                         builder.getF32FloatAttr(static_cast<float>(config.normEps))));
}

template <typename Op>
Rows ModelBuilder::turningNorm(Rows input, std::string_view name, uint64_t size) {
  if (!input.value) {
    taken.insert(named(name) + ".weight");
    return {};
  }
  const Value scale =
      vector(named(name) + ".weight", {0, size, size, layer().rope != LayerConfig::kNoRope}, config.normPlus);
  return rowsOf(create<Op>(valueOf(input), scale, config.normEps));
}

Rows ModelBuilder::headNorm(Rows input, std::string_view name) {
  return turningNorm<llm::HeadNormOp>(input, name, layer().headSize);
}

Rows ModelBuilder::rowNorm(Rows input, std::string_view name) {
  const int64_t columns = input.value ? llvm::cast<RankedTensorType>(valueOf(input).getType()).getDimSize(1) : 0;
  return turningNorm<llm::RmsNormOp>(input, name, static_cast<uint64_t>(columns));
}

Rows ModelBuilder::residual(Rows x, Rows branch) {
  return rowsOf(create<llm::AddOp>(valueOf(x).getType(), valueOf(x), scaled(valueOf(branch), config.residualScale)));
}

LayerBuilder::QueryKeyValue ModelBuilder::queryKeyValue(Rows input) {
  const uint64_t query = uint64_t(layer().heads) * layer().headSize;
  const uint64_t kv = uint64_t(layer().kvHeads) * layer().headSize;
  const bool turns = layer().rope != LayerConfig::kNoRope;
  const bool fused = has(named("attn_qkv.weight")), shares = layer().cache != LayerConfig::kOwnCache;
  const uint64_t total = query + 2 * kv;
  const Rows queries = fused ? linear(input, "attn_qkv", {0, query, total, turns}, config.embedding)
                             : linear(input, "attn_q", {0, query, query, turns}, config.embedding);
  if (shares) { // the file may have them all the same
    for (const char* unused : {"attn_k.weight", "attn_k.bias", "attn_v.weight", "attn_v.bias"})
      taken.insert(named(unused));
    return {queries, {}, {}};
  }
  if (fused)
    return {queries, linear(input, "attn_qkv", {query, kv, total, turns}, config.embedding),
            linear(input, "attn_qkv", {query + kv, kv, total}, config.embedding)};
  // Rows of keys are in the order that they turn in, those of values are not.
  const bool own = !layer().keysAsValues || has(named("attn_v.weight"));
  return {queries, linear(input, "attn_k", {0, kv, kv, turns}, config.embedding),
          linear(input, own ? "attn_v" : "attn_k", {0, kv, kv}, config.embedding)};
}

LayerBuilder::GatedQueryKeyValue ModelBuilder::gatedQueryKeyValue(Rows input) {
  const uint64_t size = layer().headSize, both = 2 * size * layer().heads, kv = size * layer().kvHeads;
  const bool turns = layer().rope != LayerConfig::kNoRope;
  const Rows rowsOfBoth = linear(input, "attn_q", {0, both, both, turns, 2 * size}, config.embedding);
  return {rowsOf(takeColumns(valueOf(rowsOfBoth), size, 2 * size, 0)),
          linear(input, "attn_k", {0, kv, kv, turns}, config.embedding),
          linear(input, "attn_v", {0, kv, kv}, config.embedding),
          rowsOf(takeColumns(valueOf(rowsOfBoth), size, 2 * size, size))};
}

Value ModelBuilder::ropeTable(uint32_t rope, const PositionGrowth& growth) {
  Table& table = *llvm::find_if(tables, [&](const Table& other) { return other.angles == tables[rope].angles; });
  Value& made = growth.rate == 0 ? table.made : table.grown;
  if (!made)
    made = llm::RopeTableOp::create(builder, static_cast<int64_t>(options.maxContext), table.angles.frequencies,
                                    table.angles.magnitude, growth);
  return made;
}

Rows ModelBuilder::rotatedBy(Rows input, const PositionGrowth& growth) {
  if (layer().rope == LayerConfig::kNoRope || !input.value)
    return input;
  return rowsOf(create<llm::RopeOp>(valueOf(input).getType(), valueOf(input), ropeTable(layer().rope, growth),
                                    positions, Value(), static_cast<int64_t>(layer().headSize),
                                    llm::RopePairs::Adjacent, mlir::FloatAttr()));
}

Rows ModelBuilder::rotated(Rows input) {
  return rotatedBy(input, {});
}

// Before the first period ends nothing has grown: queries and keys turn by one table, as fusions want it. The scale is
// that of all elements because all of them turn, which checkConfig() sees to.
Rows ModelBuilder::rotatedQuery(Rows input) {
  return rotatedBy(input, options.maxContext > config.queryGrowth.period ? config.queryGrowth : PositionGrowth());
}

Rows ModelBuilder::attention(Rows query, Rows key, Rows value) {
  const auto cacheType = llm::CacheType::get(builder.getContext(), currentLayer, layer().kvHeads, layer().headSize,
                                             options.keyType, options.valueType);
  const Value cache = layer().cache == LayerConfig::kOwnCache
                          ? create<llm::CacheWriteOp>(cacheType, valueOf(key), valueOf(value), positions, slots)
                          : caches[layer().cache];
  caches[static_cast<size_t>(currentLayer)] = cache;
  const double scale =
      config.attentionScale != 0 ? config.attentionScale : 1 / std::sqrt(static_cast<double>(layer().headSize));
  // A window that the whole context fits into hides nothing.
  const uint64_t widest = config.bothWays ? 2 * uint64_t{options.maxContext} : options.maxContext;
  const bool windowed = layer().window != 0 && layer().window < widest;
  const std::string sinkName = named("attn_sinks.weight");
  const Value sinks = has(sinkName) ? vector(sinkName, {0, layer().heads, layer().heads}, 0) : Value();
  return rowsOf(create<llm::AttentionOp>(
      valueOf(query).getType(), valueOf(query), cache, positions, slots, sinks,
      builder.getI64IntegerAttr(layer().heads), builder.getF32FloatAttr(static_cast<float>(scale)),
      windowed ? builder.getI64IntegerAttr(layer().window) : mlir::IntegerAttr(),
      config.attentionSoftcap != 0 ? builder.getF32FloatAttr(static_cast<float>(config.attentionSoftcap))
                                   : mlir::FloatAttr(),
      config.bothWays ? builder.getUnitAttr() : mlir::UnitAttr()));
}

Rows ModelBuilder::gatedBy(Rows attended, Rows gate) {
  const Value input = valueOf(attended);
  return rowsOf(create<llm::GluOp>(input.getType(), llm::Activation::Sigmoid, valueOf(gate), input));
}

Value ModelBuilder::takeColumns(Value input, uint64_t count, uint64_t group, uint64_t first) {
  const auto number = [&](uint64_t value) { return builder.getI64IntegerAttr(static_cast<int64_t>(value)); };
  const int64_t columns = llm::columnsOf(input) / static_cast<int64_t>(group) * static_cast<int64_t>(count);
  return create<llm::TakeColumnsOp>(rows(columns), input, number(count), number(group), number(first));
}

// Files of torch have a dimension of 1 between the two, for the one input of each column.
Value ModelBuilder::taps(const std::string& name, uint64_t columns) {
  const uint64_t count = config.convolutionTaps;
  const ingest::TensorInfo* tensor = checkpoint.find(name);
  const bool isTorch = tensor && tensor->dims.size() == 3;
  tensor = take(name, isTorch ? std::vector<uint64_t>{count, 1, columns} : std::vector<uint64_t>{count, columns});
  return vectorOf(tensor, name, {0, count * columns, count * columns}, 0);
}

Rows ModelBuilder::shortConvolution(Rows input) {
  const uint64_t columns = config.embedding;
  const Value thirds = valueOf(linear(input, "shortconv.in_proj", 3 * columns, columns));
  const Value weights = taps(named("shortconv.conv.weight"), columns);
  const Value mixed =
      create<llm::ShortConvOp>(rows(config.embedding), thirds, weights, positions, slots,
                               builder.getI64IntegerAttr(currentLayer), builder.getUnitAttr(), mlir::UnitAttr());
  return linear(rowsOf(mixed), "shortconv.out_proj", columns, columns);
}

Value ModelBuilder::valueHeadVector(std::string_view name, std::string_view gguf) {
  const std::string inGguf = named(gguf), other = named(name) + ".weight";
  const uint64_t count = config.delta.valueHeads;
  return vector(has(other) ? other : inGguf, {0, count, count}, 0);
}

Rows ModelBuilder::deltaRule(Rows input) {
  const DeltaConfig& delta = config.delta;
  const uint64_t values = delta.valueColumns(), all = 2 * uint64_t(delta.keyColumns()) + values;
  const auto number = [&](int64_t value) { return builder.getI64IntegerAttr(value); };
  const auto flag = [&](bool set) { return set ? builder.getUnitAttr() : mlir::UnitAttr(); };
  const Value mixed = valueOf(linear(input, "attn_qkv", all, config.embedding));
  const Value weights = taps(named("ssm_conv1d.weight"), all);
  const Value convolved = create<llm::ShortConvOp>(rows(static_cast<int64_t>(all)), mixed, weights, positions, slots,
                                                   number(currentLayer), mlir::UnitAttr(), builder.getUnitAttr());
  const Value decay = valueOf(linear(input, "ssm_alpha", delta.valueHeads, config.embedding));
  const Value beta = valueOf(linear(input, "ssm_beta", delta.valueHeads, config.embedding));
  const Value rate = valueHeadVector("ssm_a", "ssm_a"), dt = valueHeadVector("ssm_dt", "ssm_dt.bias");
  const Value recalled =
      create<llm::DeltaRuleOp>(rows(static_cast<int64_t>(values)), convolved, decay, beta, rate, dt, positions, slots,
                               number(delta.keyHeads), number(delta.valueHeads), number(delta.headSize),
                               number(currentLayer), flag(delta.grouped), flag(delta.logRates));
  const Value scale = vector(named("ssm_norm.weight"), {0, delta.headSize, delta.headSize}, 0);
  const Value normed = create<llm::HeadNormOp>(recalled, scale, config.normEps);
  const Value gate = valueOf(linear(input, "attn_gate", values, config.embedding));
  const Value gated = create<llm::GluOp>(normed.getType(), llm::Activation::Silu, gate, normed);
  return linear(rowsOf(gated), "ssm_out", config.embedding, values);
}

Rows ModelBuilder::attentionOutput(Rows attended) {
  return linear(attended, "attn_output", config.embedding, uint64_t(layer().heads) * layer().headSize);
}

Value ModelBuilder::expertLinear(Value input, Value experts, std::string_view shortName, uint64_t rowCount,
                                 uint64_t cols, bool each) {
  const std::string name = named(shortName), biasName = name + ".bias";
  const uint64_t count = layer().experts.count;
  const ingest::TensorInfo* tensor = take(name + ".weight", {cols, rowCount, count});
  const auto type = llm::WeightType::get(builder.getContext(), static_cast<int64_t>(rowCount * count),
                                         static_cast<int64_t>(cols), tensor ? tensor->type : formats::TensorType::kF32);
  const Value matrix = parameter(type, name + ".weight", {}, 0, mlir::FloatAttr(), mlir::StringAttr());
  Value bias;
  if (has(biasName)) {
    const ingest::TensorInfo* stored = take(biasName, {rowCount, count});
    if (stored && stored->type != formats::TensorType::kF32)
      fail(unsupported("tensor ", checkpoint.title(biasName), " is ", formats::tensorTypeInfo(stored->type).name,
                       ", it must be f32"));
    const auto vectorType = RankedTensorType::get({static_cast<int64_t>(rowCount * count)}, builder.getF32Type());
    bias = parameter(vectorType, biasName, {}, 0, mlir::FloatAttr(), mlir::StringAttr());
  }
  return create<llm::ExpertLinearOp>(rows(static_cast<int64_t>(rowCount)), input, experts, matrix, bias,
                                     builder.getI64IntegerAttr(static_cast<int64_t>(count)),
                                     each ? builder.getUnitAttr() : mlir::UnitAttr());
}

Rows ModelBuilder::expertFeedForward(Rows input) {
  const ExpertsConfig& experts = layer().experts;
  const Rows logits = linear(input, "ffn_gate_inp", experts.count, config.embedding);
  const auto choices = RankedTensorType::get({ShapedType::kDynamic, experts.used}, builder.getI32Type());
  auto routed = create<llm::RouteOp>(mlir::TypeRange{choices, rows(experts.used)}, valueOf(logits),
                                     experts.normalized ? builder.getUnitAttr() : mlir::UnitAttr());
  const Value chosen = routed.getExperts();
  const Value gate =
      expertLinear(valueOf(input), chosen, "ffn_gate_exps", experts.feedForward, config.embedding, false);
  const Value up = expertLinear(valueOf(input), chosen, "ffn_up_exps", experts.feedForward, config.embedding, false);
  const Value gated = create<llm::GluOp>(gate.getType(), activationOf(config.activation), gate, up);
  const Value down = expertLinear(gated, chosen, "ffn_down_exps", config.embedding, experts.feedForward, true);
  return rowsOf(create<llm::ExpertSumOp>(down.getType(), down, routed.getWeights()));
}

Rows ModelBuilder::feedForward(Rows input) {
  if (layer().experts.count != 0)
    return expertFeedForward(input);
  const uint64_t units = layer().feedForward;
  const ingest::TensorInfo* tensor = checkpoint.find(named("ffn_up.weight"));
  const bool fused = !has(named("ffn_gate.weight")) && tensor && tensor->dims.back() == 2 * units;
  const Rows gate = fused ? linear(input, "ffn_up", {0, units, 2 * units}, config.embedding)
                          : linear(input, "ffn_gate", units, config.embedding);
  const Rows up = fused ? linear(input, "ffn_up", {units, units, 2 * units}, config.embedding)
                        : linear(input, "ffn_up", units, config.embedding);
  const Value gated =
      create<llm::GluOp>(valueOf(gate).getType(), activationOf(config.activation), valueOf(gate), valueOf(up));
  return linear(rowsOf(gated), "ffn_down", config.embedding, units);
}

Rows ModelBuilder::plainFeedForward(Rows input) {
  const uint64_t units = layer().feedForward;
  const Value up = valueOf(linear(input, "ffn_up", units, config.embedding));
  const Value active = create<llm::ActivateOp>(up.getType(), activationOf(config.activation), up);
  return linear(rowsOf(active), "ffn_down", config.embedding, units);
}

Rows ModelBuilder::withPositions(Rows x) {
  const ingest::TensorInfo* tensor = checkpoint.find("position_embd.weight");
  const uint64_t count = tensor && tensor->dims.size() == 2 ? tensor->dims[1] : config.trainedContext;
  if (count < config.trainedContext)
    fail(badInput("tensor ", checkpoint.title(tensor->name), " is ", shapeText(tensor->dims), " for ",
                  config.trainedContext, " positions"));
  const Value table = weight("position_embd.weight", {0, count, count}, config.embedding);
  const Value rowsOfPositions = create<llm::EmbeddingOp>(valueOf(x).getType(), positions, table, mlir::FloatAttr());
  return rowsOf(create<llm::AddOp>(valueOf(x).getType(), valueOf(x), rowsOfPositions));
}

Rows ModelBuilder::dense(Rows x) {
  uint64_t columns = config.embedding;
  for (size_t i = 0; i < config.dense.size(); ++i) {
    x = linear(x, "dense_" + std::to_string(i + 2), config.dense[i], columns);
    columns = config.dense[i];
  }
  return x;
}

Rows ModelBuilder::ownEmbedding(Rows x) {
  const uint64_t columns = config.layerEmbedding;
  if (columns == 0)
    return x;
  const uint64_t all = columns * config.layers.size(), first = columns * static_cast<uint64_t>(currentLayer);
  const Value own = takeColumns(ownEmbeddings, columns, all, first);
  const Value gate = valueOf(linear(x, "inp_gate", columns, config.embedding));
  const Value gated = create<llm::GluOp>(gate.getType(), activationOf(config.activation), gate, own);
  return residual(x, rmsNorm(linear(rowsOf(gated), "proj", config.embedding, columns), "post_norm"));
}

Rows ModelBuilder::scaledBy(Rows input, std::string_view name) {
  return rowsOf(scaled(valueOf(input), scalar(named(name) + ".weight").value_or(1)));
}

void ModelBuilder::head(Rows input) {
  const Value normed = valueOf(rmsNorm(input, config.family->finalNorm));
  const Value matrix = has("output.weight")
                           ? weight("output.weight", {0, config.vocabulary, config.vocabulary}, config.embedding)
                           : embeddings;
  Value logits = create<llm::HeadOp>(rows(config.vocabulary), normed, matrix, outputRows, mlir::FloatAttr());
  logits = scaled(logits, config.logitScale);
  if (config.logitSoftcap != 0)
    logits = create<llm::SoftcapOp>(logits.getType(), logits,
                                    builder.getF32FloatAttr(static_cast<float>(config.logitSoftcap)));
  const Value sampled = create<llm::SampleOp>(outputRows.getType(), logits, sampling);
  create<mlir::func::ReturnOp>(mlir::ValueRange{logits, sampled});
}

Result<mlir::OwningOpRef<mlir::ModuleOp>> ModelBuilder::finish() {
  if (failure)
    return *std::move(failure);
  for (const ingest::TensorInfo& tensor : checkpoint.tensors())
    if (!taken.contains(tensor.name))
      return badInput("tensor ", checkpoint.title(tensor.name), " is not part of the architecture ",
                      config.family->architecture);
  std::string message;
  mlir::ScopedDiagnosticHandler handler(builder.getContext(), [&](mlir::Diagnostic& diagnostic) {
    if (message.empty())
      message = diagnostic.str();
    return mlir::success();
  });
  if (mlir::failed(mlir::verify(*module)))
    return badInput("the model cannot be expressed: ", message);
  return std::move(module);
}

} // namespace llcuda::models
