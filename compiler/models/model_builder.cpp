// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/model_builder.h"

#include <cmath>
#include <cstring>

#include "codegen/reference/rope_table.h"
#include "mlir/IR/Verifier.h"

namespace llcuda::models {
namespace {

using mlir::RankedTensorType;
using mlir::ShapedType;
using mlir::Value;

std::string shapeText(const std::vector<uint64_t>& dims) {
  std::string text;
  for (const uint64_t dim : dims) text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text;
}

} // namespace

ModelBuilder::ModelBuilder(mlir::MLIRContext* context, const ingest::Checkpoint& checkpoint, const ModelConfig& config,
                           const ImportOptions& options)
    : checkpoint(checkpoint), config(config), options(options), builder(mlir::UnknownLoc::get(context), context),
      module(mlir::ModuleOp::create(builder.getLoc())) {
  const auto index = RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
  const auto samplingRows = RankedTensorType::get({ShapedType::kDynamic}, llm::SamplingType::get(context));
  builder.setInsertionPointToEnd(module->getBody());
  const auto type =
      builder.getFunctionType({index, index, index, index, samplingRows}, {rows(config.vocabulary), index});
  forward = mlir::func::FuncOp::create(builder, "forward", type);
  const char* names[] = {"tokens", "positions", "slots", "output_rows", "sampling"};
  for (unsigned i = 0; i < 5; ++i) forward.setArgAttr(i, "llm.io", builder.getStringAttr(names[i]));
  mlir::Block* body = forward.addEntryBlock();
  tokens = body->getArgument(0);
  positions = body->getArgument(1);
  slots = body->getArgument(2);
  outputRows = body->getArgument(3);
  sampling = body->getArgument(4);
  builder.setInsertionPointToEnd(body);
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
    fail(badInput("the model has no tensor ", name));
    return nullptr;
  }
  if (tensor->dims != dims) {
    fail(badInput("tensor ", name, " is ", shapeText(tensor->dims), ", the model's numbers ask for ", shapeText(dims)));
    return nullptr;
  }
  return tensor;
}

Value ModelBuilder::weight(const std::string& name, uint64_t rows, uint64_t cols) {
  const ingest::TensorInfo* tensor = take(name, {cols, rows});
  const formats::TensorType encoding = tensor ? tensor->type : formats::TensorType::kF32;
  const auto type =
      llm::WeightType::get(builder.getContext(), static_cast<int64_t>(rows), static_cast<int64_t>(cols), encoding);
  return create<llm::ParameterOp>(type, name);
}

Value ModelBuilder::vector(const std::string& name, uint64_t elements) {
  const ingest::TensorInfo* tensor = take(name, {elements});
  if (tensor && tensor->type != formats::TensorType::kF32)
    fail(unsupported("tensor ", name, " is ", formats::tensorTypeInfo(tensor->type).name, "; vectors must be f32"));
  const auto type = RankedTensorType::get({static_cast<int64_t>(elements)}, builder.getF32Type());
  return create<llm::ParameterOp>(type, name);
}

Value ModelBuilder::optionalVector(const std::string& name, uint64_t elements) {
  return has(name) ? vector(name, elements) : Value();
}

Value ModelBuilder::linear(Value input, const std::string& prefix, uint64_t rows, uint64_t cols) {
  const Value matrix = weight(prefix + ".weight", rows, cols);
  const Value bias = optionalVector(prefix + ".bias", rows);
  return create<llm::LinearOp>(input, matrix, bias);
}

Value ModelBuilder::rmsNorm(Value input, const std::string& scaleName) {
  return create<llm::RmsNormOp>(input, vector(scaleName, config.embedding), config.normEps);
}

Value ModelBuilder::add(Value lhs, Value rhs) {
  return create<llm::AddOp>(lhs.getType(), lhs, rhs);
}

Value ModelBuilder::ropeTable() {
  std::vector<double> frequencies = reference::ropeFrequencies(config.rope.dimensions, config.rope.base);
  for (double& frequency : frequencies) frequency /= config.rope.factor;
  if (has("rope_freqs.weight")) {
    const ingest::TensorInfo* tensor = take("rope_freqs.weight", {frequencies.size()});
    if (tensor && tensor->type != formats::TensorType::kF32)
      fail(unsupported("tensor rope_freqs.weight is not f32"));
    const auto stored = tensor ? checkpoint.read(*tensor) : ingest::TensorBytes{};
    if (!stored)
      fail(stored.error());
    for (size_t i = 0; !failure && i < frequencies.size(); ++i) {
      float divisor;
      std::memcpy(&divisor, stored->bytes.data() + i * sizeof(float), sizeof(float));
      if (!(divisor > 0) || !std::isfinite(divisor))
        fail(badInput("rope_freqs.weight[", i, "] is ", divisor, ", a divisor must be positive"));
      else
        frequencies[i] /= divisor;
    }
  }
  return create<llm::RopeTableOp>(static_cast<int64_t>(options.maxContext), frequencies, 1.0);
}

Value ModelBuilder::rope(Value input, Value table) {
  return create<llm::RopeOp>(input.getType(), input, table, positions, static_cast<int64_t>(config.headSize),
                             llm::RopePairs::Adjacent);
}

Value ModelBuilder::attention(Value query, Value key, Value value) {
  const auto cacheType = llm::CacheType::get(builder.getContext(), currentLayer, config.kvHeads, config.headSize,
                                             options.kvType, options.kvType);
  const Value cache = create<llm::CacheWriteOp>(cacheType, key, value, positions, slots);
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(config.headSize)));
  return create<llm::AttentionOp>(query.getType(), query, cache, positions, slots,
                                  builder.getI64IntegerAttr(config.heads), builder.getF32FloatAttr(scale),
                                  mlir::IntegerAttr(), mlir::FloatAttr());
}

Value ModelBuilder::embedding(Value weight) {
  return create<llm::EmbeddingOp>(rows(config.embedding), tokens, weight, mlir::FloatAttr());
}

Value ModelBuilder::glu(Value gate, Value up) {
  return create<llm::GluOp>(gate.getType(), llm::Activation::Silu, gate, up);
}

void ModelBuilder::headAndSample(Value input, Value weight) {
  const Value logits = create<llm::HeadOp>(rows(config.vocabulary), input, weight, outputRows, mlir::FloatAttr());
  const Value sampled = create<llm::SampleOp>(outputRows.getType(), logits, sampling);
  create<mlir::func::ReturnOp>(mlir::ValueRange{logits, sampled});
}

Result<mlir::OwningOpRef<mlir::ModuleOp>> ModelBuilder::finish() {
  if (failure)
    return *std::move(failure);
  for (const ingest::TensorInfo& tensor : checkpoint.tensors())
    if (!taken.contains(tensor.name))
      return badInput("tensor ", tensor.name, " is not part of the architecture ", config.architecture);
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
