// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/gguf_rope.h"

#include <cmath>

#include "codegen/formats/dequantize.h"
#include "codegen/reference/elementary.h"
#include "compiler/ingest/message_parts.h"

namespace llcuda::models {
namespace {

// One divisor for each pair; empty when the model has no such tensor.
Result<std::vector<double>> readDivisors(const ingest::Checkpoint& tensors, const std::string& name, uint64_t pairs) {
  const ingest::TensorInfo* tensor = tensors.find(name);
  if (!tensor)
    return std::vector<double>();
  if (tensor->dims != std::vector<uint64_t>{pairs})
    return badInput("tensor ", tensors.title(name), " must have an element for each of ", pairs, " pairs");
  if (tensor->type != formats::TensorType::kF32)
    return unsupported("tensor ", tensors.title(name), " is ", formats::tensorTypeInfo(tensor->type).name,
                       ", it must be f32");
  LLCUDA_ASSIGN_OR_RETURN(const ingest::TensorBytes stored, tensors.read(*tensor));
  std::vector<float> values(pairs);
  formats::dequantizeRow(stored.type, stored.bytes.data(), pairs, values.data());
  for (uint64_t i = 0; i < pairs; ++i)
    if (!(values[i] > 0) || !std::isfinite(values[i]))
      return badInput("tensor ", tensors.title(name), " holds ", values[i], " at its element ", i,
                      ", a divisor must be positive");
  return std::vector<double>(values.begin(), values.end());
}

// The magnitude that a file leaves to the formula is 0; `factor` is attn_factor, which multiplies it.
Result<double> yarnMagnitude(const Values& file, double contextFactor, double factor) {
  const auto magnitude = [&](double multiplier) {
    return contextFactor <= 1 ? 1 : 1 + 0.1 * multiplier * reference::logarithm(contextFactor);
  };
  LLCUDA_ASSIGN_OR_RETURN(const double multiplier, file.notNegative("rope.scaling.yarn_log_multiplier", 0));
  return factor * magnitude(1) / magnitude(multiplier);
}

Result<void> readScaling(const Values& file, const std::string& type, RopeConfig& rope) {
  LLCUDA_ASSIGN_OR_RETURN(const double old, file.number("rope.scale_linear", 0));
  LLCUDA_ASSIGN_OR_RETURN(const double factor, file.notNegative("rope.scaling.factor", old));
  LLCUDA_ASSIGN_OR_RETURN(const double magnitude, file.positive("rope.scaling.attn_factor", 1));
  rope.attentionFactor = magnitude == 1 ? 0 : magnitude;
  if (type == "none" || factor == 0)
    return {};
  rope.factor = factor;
  if (type == "linear") {
    rope.scaling = RopeScaling::kLinear;
    return {};
  }
  rope.scaling = RopeScaling::kYarn;
  LLCUDA_ASSIGN_OR_RETURN(rope.betaFast, file.positive("rope.scaling.yarn_beta_fast", 32));
  LLCUDA_ASSIGN_OR_RETURN(rope.betaSlow, file.positive("rope.scaling.yarn_beta_slow", 1));
  LLCUDA_ASSIGN_OR_RETURN(rope.extensionFactor, file.positive("rope.scaling.yarn_ext_factor", 1));
  LLCUDA_ASSIGN_OR_RETURN(rope.attentionFactor, yarnMagnitude(file, factor, magnitude));
  return {};
}

Result<RopeConfig> readFullRope(const Keys& keys, const ingest::Checkpoint& tensors, const ModelConfig& config,
                                uint32_t headSize) {
  RopeConfig rope;
  LLCUDA_ASSIGN_OR_RETURN(rope.dimensions, keys.optional(Key::kRopeDimensions, headSize, {2, headSize}));
  LLCUDA_ASSIGN_OR_RETURN(rope.base, keys.number(Key::kRopeBase));
  LLCUDA_ASSIGN_OR_RETURN(rope.originalContext,
                          keys.optional(Key::kOriginalContext, config.trainedContext, {1, UINT32_MAX}));

  LLCUDA_ASSIGN_OR_RETURN(const std::string type, keys.all().text("rope.scaling.type", "linear"));
  if (type != "linear" && type != "none" && type != "yarn" && type != "longrope")
    return unsupported("rope scaling ", ingest::Quoted{type}, " is not supported");
  const uint64_t pairs = rope.dimensions / 2;
  LLCUDA_ASSIGN_OR_RETURN(rope.divisors, readDivisors(tensors, kRopeDivisors, pairs));
  LLCUDA_ASSIGN_OR_RETURN(rope.shortFactors, readDivisors(tensors, kRopeShortFactors, pairs));
  LLCUDA_ASSIGN_OR_RETURN(rope.longFactors, readDivisors(tensors, kRopeLongFactors, pairs));
  if (rope.shortFactors.empty() != rope.longFactors.empty())
    return badInput("has only one of the tensors ", kRopeShortFactors, " and ", kRopeLongFactors);
  if (rope.longFactors.empty() && type == "longrope")
    return badInput("asks for longrope and has no tensor ", kRopeLongFactors);
  if (!rope.longFactors.empty()) {
    rope.scaling = RopeScaling::kLongRope;
    LLCUDA_ASSIGN_OR_RETURN(rope.attentionFactor, keys.all().positive("rope.scaling.attn_factor", 1));
    return rope;
  }
  rope.truncated = config.family->wholeYarnPairs; // whatever llama.cpp does: no key says so
  LLCUDA_RETURN_IF_ERROR(readScaling(keys.all(), type, rope));
  return rope;
}

/// What layers with a window have where no scaling is for them.
Result<RopeConfig> readPlainRope(const Keys& keys, const ModelConfig& config, uint32_t headSize) {
  RopeConfig rope;
  const Key dimensions = keys.has(Key::kLocalRopeDimensions) ? Key::kLocalRopeDimensions : Key::kRopeDimensions;
  LLCUDA_ASSIGN_OR_RETURN(rope.dimensions, keys.optional(dimensions, headSize, {2, headSize}));
  LLCUDA_ASSIGN_OR_RETURN(rope.originalContext,
                          keys.optional(Key::kOriginalContext, config.trainedContext, {1, UINT32_MAX}));
  return rope;
}

} // namespace

Result<RopeConfig> readGgufRope(const Keys& keys, const ingest::Checkpoint& tensors, const ModelConfig& config,
                                uint32_t headSize, bool local) {
  const bool plain = local && config.family->plainLocalRope;
  LLCUDA_ASSIGN_OR_RETURN(RopeConfig rope, plain ? readPlainRope(keys, config, headSize)
                                                 : readFullRope(keys, tensors, config, headSize));
  if (config.family->ggufPairs == PairOrder::kAdjacent && rope.dimensions != headSize)
    return unsupported(config.family->architecture, " turns whole heads of ", headSize, " elements, the file says ",
                       keys.title(Key::kRopeDimensions), " ", rope.dimensions);
  if (!local)
    return rope;
  LLCUDA_ASSIGN_OR_RETURN(const double base, keys.number(Key::kRopeBase));
  LLCUDA_ASSIGN_OR_RETURN(rope.base, keys.positive(Key::kLocalRopeBase, base));
  return rope;
}

} // namespace llcuda::models
