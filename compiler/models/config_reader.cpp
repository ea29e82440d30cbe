// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/config_reader.h"

#include <algorithm>
#include <cmath>

#include "compiler/ingest/message_parts.h"

namespace llcuda::models {
namespace {

using ingest::Quoted;

// What no family here computes, although a file may ask for it.
Result<void> refuseOthers(const Keys& keys) {
  for (const Key key : {Key::kExperts, Key::kLocalExperts}) {
    LLCUDA_ASSIGN_OR_RETURN(const uint32_t experts, keys.optional(key, 0, {0, UINT32_MAX}));
    if (experts > 0)
      return unsupported(keys.title(key), " is ", experts, "; mixtures of experts are not supported");
  }
  LLCUDA_ASSIGN_OR_RETURN(const bool causal, keys.flag(Key::kCausal, true));
  LLCUDA_ASSIGN_OR_RETURN(const bool bothWays, keys.flag(Key::kBothWays, false));
  if (!causal || bothWays)
    return unsupported(keys.title(bothWays ? Key::kBothWays : Key::kCausal), " is ", bothWays ? "true" : "false",
                       ", but the attention of the models that are supported is causal");
  if (keys.kind() == FileKind::kHuggingFace)
    return {};
  for (const char* name : {"embedding_scale", "residual_scale", "logit_scale"}) {
    if (keys.knows(name))
      continue;
    LLCUDA_ASSIGN_OR_RETURN(const double scale, keys.all().number(name, 1));
    if (scale != 1 && scale != 0)
      return unsupported(keys.all().title(name), " is ", scale, ", which is not supported");
  }
  return {};
}

// The head size is stated, or it is embedding / heads; keys and values must have the same.
Result<uint32_t> headSize(const Keys& keys, uint32_t embedding, uint32_t heads) {
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t size, keys.optional(Key::kHeadSize, embedding / heads, {0, kMaxWidth}));
  if (!keys.need(Key::kHeadSize) && embedding % heads != 0)
    return badInput("a ", keys.title(Key::kEmbedding), " of ", embedding, " cannot be split into ", heads, " heads");
  LLCUDA_RETURN_IF_ERROR(checkBounds(keys.title(Key::kHeadSize), size, kHeadSizes));
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t value, keys.optional(Key::kValueSize, size, kHeadSizes));
  if (size != value)
    return unsupported("keys of ", size, " and values of ", value, " elements: only equal head sizes are supported");
  return size;
}

Result<std::vector<LayerConfig>> readLayers(const Keys& keys, uint32_t embedding) {
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t count, keys.required(Key::kLayers, {1, kMaxLayers}));
  LLCUDA_RETURN_IF_ERROR(keys.need(Key::kFeedForward));
  LLCUDA_ASSIGN_OR_RETURN(const auto feedForward, keys.each(Key::kFeedForward, count, 0, {1, kMaxWidth}));
  LLCUDA_RETURN_IF_ERROR(keys.need(Key::kHeads));
  LLCUDA_ASSIGN_OR_RETURN(const auto heads, keys.each(Key::kHeads, count, 0, {1, kMaxHeads}));
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t size, headSize(keys, embedding, heads.front()));
  std::vector<uint32_t> kvHeads = heads;
  if (!keys.isNull(Key::kKvHeads)) { // null: as many
    LLCUDA_ASSIGN_OR_RETURN(kvHeads, keys.each(Key::kKvHeads, count, heads.front(), {1, heads.front()}));
  }
  std::vector<LayerConfig> layers;
  for (uint32_t i = 0; i < count; ++i)
    layers.push_back({.heads = heads[i], .kvHeads = kvHeads[i], .headSize = size, .feedForward = feedForward[i]});
  return layers;
}

/// `layer_types`, one name a layer.
Result<std::vector<bool>> namedLocalLayers(const List& types) {
  std::vector<bool> local;
  for (const Stated& type : types) {
    const auto* name = std::get_if<std::string>(&type);
    if (!name || (*name != "sliding_attention" && *name != "full_attention"))
      return unsupported("layer_types[", local.size(), "] is ", name ? Quoted{*name} : Quoted{"no name"},
                         "; sliding_attention and full_attention are supported");
    local.push_back(*name == "sliding_attention");
  }
  return local;
}

Result<std::vector<bool>> localLayers(const Keys& keys, size_t count) {
  LLCUDA_ASSIGN_OR_RETURN(const std::optional<List> types, keys.list(Key::kLayerTypes, count));
  if (types)
    return namedLocalLayers(*types);
  LLCUDA_ASSIGN_OR_RETURN(std::optional<std::vector<bool>> pattern, keys.pattern(Key::kWindowPattern, count));
  if (pattern)
    return *std::move(pattern);
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t first, keys.optional(Key::kFirstWindowLayer, 0, {0, UINT32_MAX}));
  std::vector<bool> local(count);
  for (size_t i = first; i < count; ++i) local[i] = true;
  return local;
}

Result<void> readWindows(const Keys& keys, std::vector<LayerConfig>& layers) {
  LLCUDA_ASSIGN_OR_RETURN(const bool used, keys.flag(Key::kUseWindow, true));
  if (!used || keys.isNull(Key::kWindow))
    return {};
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t window, keys.optional(Key::kWindow, 0, {0, UINT32_MAX}));
  if (window == 0)
    return {};
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<bool> local, localLayers(keys, layers.size()));
  for (size_t i = 0; i < layers.size(); ++i) layers[i].window = local[i] ? window : 0;
  return {};
}

Result<void> readNope(const Keys& keys, std::vector<LayerConfig>& layers) {
  LLCUDA_ASSIGN_OR_RETURN(const bool used, keys.flag(Key::kRopeUsed, true));
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t interval, keys.optional(Key::kNopeInterval, 0, {0, kMaxLayers}));
  if (keys.has(Key::kNopeInterval) && interval == 0)
    return badInput(keys.title(Key::kNopeInterval), " is 0, outside 1 to ", kMaxLayers);
  LLCUDA_ASSIGN_OR_RETURN(const std::optional<List> rotated, keys.list(Key::kRotatedLayers, layers.size()));
  for (size_t i = 0; i < layers.size(); ++i) {
    bool has = used && (interval == 0 || (i + 1) % interval != 0);
    if (rotated) {
      const auto* flag = std::get_if<uint64_t>(&(*rotated)[i]);
      if (!flag || *flag > 1)
        return badInput(keys.title(Key::kRotatedLayers), "[", i, "] is not 0 or 1");
      has = *flag == 1;
    }
    if (!has)
      layers[i].rope = LayerConfig::kNoRope;
  }
  return {};
}

/// Puts into `config` the ropes that its layers use.
void addRopes(Ropes ropes, ModelConfig& config) {
  config.ropes.push_back(std::move(ropes.full));
  const bool two = ropes.local != config.ropes.front() &&
                   std::ranges::any_of(config.layers, [](const LayerConfig& layer) { return layer.window != 0; });
  if (!two)
    return;
  config.ropes.push_back(std::move(ropes.local));
  for (LayerConfig& layer : config.layers)
    if (layer.window != 0 && layer.rope != LayerConfig::kNoRope)
      layer.rope = 1;
}

Result<Activation> activationOf(const Keys& keys, const Family& family) {
  LLCUDA_ASSIGN_OR_RETURN(const std::string name, keys.text(Key::kActivation, ""));
  for (const auto& [its, activation] : family.activations)
    if (name == its)
      return activation;
  if (name.empty())
    return family.activation;
  if (name == "silu" || name == "swish")
    return Activation::kSilu;
  if (name == "gelu_pytorch_tanh" || name == "gelu_new")
    return Activation::kGeluTanh;
  return unsupported("the activation ", Quoted{name}, " is not supported");
}

Result<double> softcap(const Keys& keys, Key key) {
  return keys.isNull(key) ? Result<double>(0.) : keys.notNegative(key);
}

Result<void> readNumbers(const Keys& keys, const Family& family, ModelConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(config.normEps, keys.number(Key::kNormEps));
  LLCUDA_ASSIGN_OR_RETURN(config.activation, activationOf(keys, family));
  LLCUDA_ASSIGN_OR_RETURN(config.attentionScale, keys.notNegative(Key::kAttentionScale));
  LLCUDA_ASSIGN_OR_RETURN(config.attentionSoftcap, softcap(keys, Key::kAttentionSoftcap));
  LLCUDA_ASSIGN_OR_RETURN(config.logitSoftcap, softcap(keys, Key::kLogitSoftcap));
  LLCUDA_ASSIGN_OR_RETURN(config.embeddingScale, keys.number(Key::kEmbeddingScale, 1));
  LLCUDA_ASSIGN_OR_RETURN(config.residualScale, keys.number(Key::kResidualScale, 1));
  LLCUDA_ASSIGN_OR_RETURN(const double divisor, keys.positive(Key::kLogitDivisor, 1));
  config.logitScale = 1 / divisor;
  if (!std::isfinite(config.logitScale))
    return badInput(keys.title(Key::kLogitDivisor), " is ", divisor, ", too small to divide by");
  return {};
}

} // namespace

Result<ModelConfig> readConfig(const Family& family, const Keys& keys, uint32_t vocabulary,
                               const std::function<Result<Ropes>(const ModelConfig&, uint32_t)>& readRopes) {
  ModelConfig config;
  config.family = &family;
  config.vocabulary = vocabulary;
  LLCUDA_RETURN_IF_ERROR(refuseOthers(keys));
  LLCUDA_ASSIGN_OR_RETURN(config.trainedContext, keys.required(Key::kContext, {1, kMaxContext}));
  LLCUDA_ASSIGN_OR_RETURN(config.embedding, keys.required(Key::kEmbedding, {1, kMaxWidth}));
  LLCUDA_ASSIGN_OR_RETURN(config.layers, readLayers(keys, config.embedding));
  LLCUDA_RETURN_IF_ERROR(readWindows(keys, config.layers));
  LLCUDA_RETURN_IF_ERROR(readNope(keys, config.layers));
  LLCUDA_RETURN_IF_ERROR(readNumbers(keys, family, config));
  config.pairOrder = keys.kind() == FileKind::kGguf ? family.ggufPairs : PairOrder::kHalves;
  config.normPlus = keys.kind() == FileKind::kGguf ? 0 : family.hfNormPlus;
  LLCUDA_ASSIGN_OR_RETURN(Ropes ropes, readRopes(config, config.layers.front().headSize));
  addRopes(std::move(ropes), config);
  if (family.complete)
    LLCUDA_RETURN_IF_ERROR(family.complete(keys, config));
  LLCUDA_RETURN_IF_ERROR(checkConfig(config));
  return config;
}

} // namespace llcuda::models
