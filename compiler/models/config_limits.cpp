// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/config_limits.h"

#include <algorithm>

#include "compiler/models/family.h"

namespace llcuda::models {
namespace {

Result<void> checkRope(const RopeConfig& rope, uint32_t headSize) {
  if (rope.dimensions < 2 || rope.dimensions > headSize || rope.dimensions % 2 != 0)
    return badInput(rope.dimensions, " rotated elements of a head of ", headSize,
                    ": they are an even number of at most the head's");
  if (!(rope.base > 1))
    return badInput("the base of the rope is ", rope.base, ", it must be above 1");
  return {};
}

constexpr std::string_view kAnd[] = {"", " and of linear attention", " and of convolutions"}; // by LayerKind

Result<void> checkLayer(const ModelConfig& config, size_t index) {
  const LayerConfig& layer = config.layers[index];
  if (layer.kind != LayerKind::kAttention && layer.kind == config.family->otherLayers)
    return {};
  if (layer.kind != LayerKind::kAttention)
    return unsupported("layer ", index, layer.kind == LayerKind::kRecurrent ? " is recurrent" : " is a convolution",
                       ": only layers of attention", kAnd[static_cast<size_t>(config.family->otherLayers)],
                       " are supported");
  if (layer.cache != LayerConfig::kOwnCache) {
    const LayerConfig& source = config.layers[layer.cache];
    if (layer.kvHeads != source.kvHeads || layer.headSize != source.headSize)
      return badInput("layer ", index, " shares the cache of layer ", layer.cache, ", which has ", source.kvHeads,
                      " kv heads of ", source.headSize, " elements, not ", layer.kvHeads, " of ", layer.headSize);
  }
  if (layer.heads % layer.kvHeads != 0)
    return badInput(layer.heads, " heads cannot share ", layer.kvHeads, " kv heads evenly");
  if (layer.headSize % 2 != 0 || uint64_t(layer.headSize) * layer.heads > kMaxWidth)
    return badInput(layer.heads, " heads of ", layer.headSize,
                    " elements: head sizes are even and all heads together at most ", kMaxWidth);
  const bool turns = layer.rope != LayerConfig::kNoRope;
  if (turns)
    LLCUDA_RETURN_IF_ERROR(checkRope(config.ropes[layer.rope], layer.headSize));
  if (config.queryGrowth.rate != 0 && (!turns || config.ropes[layer.rope].dimensions != layer.headSize))
    return unsupported("the queries of layer ", index,
                       " grow with the position, which is supported where whole heads turn");
  return {};
}

/// What the layers without attention need.
Result<void> checkStates(const ModelConfig& config) {
  const auto has = [&](LayerKind kind) {
    return std::ranges::any_of(config.layers, [=](const LayerConfig& layer) { return layer.kind == kind; });
  };
  if (!has(LayerKind::kAttention))
    return unsupported("no layer has attention; models that have it in none are not supported");
  if ((has(LayerKind::kConvolution) || has(LayerKind::kRecurrent)) &&
      (config.convolutionTaps < kTaps.low || config.convolutionTaps > kTaps.high))
    return unsupported("convolutions over ", config.convolutionTaps, " positions; those over ", kTaps.low, " to ",
                       kTaps.high, " are supported");
  const DeltaConfig& delta = config.delta;
  if (!has(LayerKind::kRecurrent))
    return {};
  if (delta.keyHeads == 0 || delta.valueHeads % delta.keyHeads != 0)
    return badInput(delta.valueHeads, " value heads cannot share ", delta.keyHeads, " key heads evenly");
  if (uint64_t{delta.headSize} * (2 * uint64_t{delta.keyHeads} + delta.valueHeads) > kMaxWidth)
    return badInput(delta.valueHeads, " value heads and ", delta.keyHeads, " key heads of ", delta.headSize,
                    " elements are more than ", kMaxWidth, " columns together");
  return {};
}

} // namespace

Result<uint32_t> checkBounds(std::string_view key, uint64_t number, Bounds bounds) {
  if (number < bounds.low || number > bounds.high)
    return badInput(key, " is ", number, ", outside ", bounds.low, " to ", bounds.high);
  return static_cast<uint32_t>(number);
}

Result<void> checkConfig(const ModelConfig& config) {
  for (size_t i = 0; i < config.layers.size(); ++i) LLCUDA_RETURN_IF_ERROR(checkLayer(config, i));
  if (!config.dense.empty() && config.dense.back() != config.embedding)
    return unsupported("the last linear behind the rows has ", config.dense.back(),
                       " outputs; as many as the rows have, ", config.embedding, ", are supported");
  if (!(config.normEps > 0 && config.normEps < 1))
    return badInput("the epsilon of the norms is ", config.normEps, ", outside 0 to 1");
  return checkStates(config);
}

} // namespace llcuda::models
