// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/config_reader.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "compiler/ingest/message_parts.h"
#include "compiler/models/expert_keys.h"

namespace llcuda::models {
namespace {

using ingest::Quoted;

/// Files of models that see may name what attends both ways: "vision" alone leaves text as it is.
Result<bool> readsBothWays(const Keys& keys) {
  const std::optional<Stated> value = keys.all().present("use_bidirectional_attention");
  const auto* what = value ? std::get_if<std::string>(&*value) : nullptr;
  return what ? *what != "vision" : keys.flag(Key::kBothWays, false);
}

// What no family here computes, although a file may ask for it.
Result<void> refuseOthers(const Family& family, const Keys& keys) {
  for (const Key key : {Key::kExperts, Key::kLocalExperts}) {
    if (family.experts)
      break;
    LLCUDA_ASSIGN_OR_RETURN(const uint32_t experts, keys.optional(key, 0, {0, UINT32_MAX}));
    if (experts > 0)
      return unsupported(keys.title(key), " is ", experts, "; mixtures of experts are not supported");
  }
  LLCUDA_ASSIGN_OR_RETURN(const bool causal, keys.flag(Key::kCausal, true));
  LLCUDA_ASSIGN_OR_RETURN(const bool bothWays, readsBothWays(keys));
  if ((!causal || bothWays) && !family.encoder)
    return unsupported(keys.title(bothWays ? Key::kBothWays : Key::kCausal), " is ", bothWays ? "true" : "false",
                       ", but the attention of ", family.architecture, " is causal");
  if (causal && !bothWays && family.encoder)
    return unsupported(keys.title(keys.kind() == FileKind::kGguf ? Key::kCausal : Key::kBothWays),
                       " does not say that rows see the whole text, as those of ", family.architecture, " do");
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
Result<std::vector<uint32_t>> headSizes(const Keys& keys, uint32_t embedding, const std::vector<uint32_t>& heads) {
  const uint32_t usual = embedding / heads.front();
  if (!keys.need(Key::kHeadSize) && embedding % heads.front() != 0)
    return badInput("a ", keys.title(Key::kEmbedding), " of ", embedding, " cannot be split into ", heads.front(),
                    " heads");
  LLCUDA_ASSIGN_OR_RETURN(std::vector<uint32_t> sizes, keys.each(Key::kHeadSize, heads.size(), usual, kHeadSizes));
  if (!keys.has(Key::kValueSize))
    return sizes;
  LLCUDA_ASSIGN_OR_RETURN(const auto values, keys.each(Key::kValueSize, heads.size(), 0, kHeadSizes));
  for (size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] != values[i])
      return unsupported("keys of ", sizes[i], " and values of ", values[i],
                         " elements: only equal head sizes are supported");
  return sizes;
}

/// As many as heads, unless the file says how many. In a list 0 stands for a layer without attention.
Result<std::vector<uint32_t>> kvHeadsOf(const Keys& keys, const std::vector<uint32_t>& heads) {
  if (keys.isNull(Key::kKvHeads) || !keys.need(Key::kKvHeads))
    return heads;
  const bool listed = keys.isList(Key::kKvHeads);
  LLCUDA_ASSIGN_OR_RETURN(
      auto kvHeads, keys.each(Key::kKvHeads, heads.size(), 0, {listed ? 0u : 1u, *std::ranges::max_element(heads)}));
  // Of layer_types by names that the converter did not know.
  if (std::ranges::all_of(kvHeads, [](uint32_t count) { return count == 0; }))
    return badInput(keys.title(Key::kKvHeads), " is 0 for every layer: its converter misread the kinds of the layers; "
                                               "convert the model again");
  return kvHeads;
}

Result<std::vector<LayerConfig>> readLayers(const Keys& keys, const Family& family, uint32_t embedding) {
  const LayerKind other = family.otherLayers == LayerKind::kAttention ? LayerKind::kRecurrent : family.otherLayers;
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t count, keys.required(Key::kLayers, {1, kMaxLayers}));
  LLCUDA_RETURN_IF_ERROR(keys.need(Key::kFeedForward));
  LLCUDA_ASSIGN_OR_RETURN(const auto feedForward, keys.each(Key::kFeedForward, count, 0, {1, kMaxWidth}));
  LLCUDA_RETURN_IF_ERROR(keys.need(Key::kHeads));
  LLCUDA_ASSIGN_OR_RETURN(const auto heads, keys.each(Key::kHeads, count, 0, {1, kMaxHeads}));
  LLCUDA_ASSIGN_OR_RETURN(const auto sizes, headSizes(keys, embedding, heads));
  LLCUDA_ASSIGN_OR_RETURN(const auto kvHeads, kvHeadsOf(keys, heads));
  std::vector<LayerConfig> layers;
  for (uint32_t i = 0; i < count; ++i)
    layers.push_back({.kind = kvHeads[i] == 0 ? other : LayerKind::kAttention,
                      .heads = heads[i],
                      .kvHeads = kvHeads[i],
                      .headSize = sizes[i],
                      .feedForward = feedForward[i]});
  return layers;
}

struct NamedLayer {
  std::string_view name;
  LayerKind kind;
  bool local;
};
constexpr NamedLayer kLayerTypes[] = {{"full_attention", LayerKind::kAttention, false},
                                      {"attention", LayerKind::kAttention, false},
                                      {"sliding_attention", LayerKind::kAttention, true},
                                      {"linear_attention", LayerKind::kRecurrent, false},
                                      {"mamba", LayerKind::kRecurrent, false},
                                      {"conv", LayerKind::kConvolution, false}};

/// `layer_types`, one name a layer; empty without the key.
Result<std::vector<NamedLayer>> namedLayers(const Keys& keys, size_t count) {
  LLCUDA_ASSIGN_OR_RETURN(const std::optional<List> types, keys.list(Key::kLayerTypes, count));
  std::vector<NamedLayer> layers;
  for (size_t i = 0; types && i < count; ++i) {
    const auto* name = std::get_if<std::string>(&(*types)[i]);
    const auto* found = name ? std::ranges::find(kLayerTypes, *name, &NamedLayer::name) : std::end(kLayerTypes);
    if (found == std::end(kLayerTypes))
      return unsupported(keys.title(Key::kLayerTypes), "[", i, "] is ", name ? Quoted{*name} : Quoted{"no name"},
                         "; sliding_attention and full_attention are supported");
    layers.push_back(*found);
  }
  return layers;
}

Result<std::vector<bool>> localLayers(const Keys& keys, const std::vector<NamedLayer>& named, size_t count) {
  if (!named.empty()) {
    std::vector<bool> local;
    for (const NamedLayer& layer : named) local.push_back(layer.local);
    return local;
  }
  LLCUDA_ASSIGN_OR_RETURN(std::optional<std::vector<bool>> pattern, keys.pattern(Key::kWindowPattern, count));
  if (pattern)
    return *std::move(pattern);
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t first, keys.optional(Key::kFirstWindowLayer, 0, {0, UINT32_MAX}));
  std::vector<bool> local(count);
  for (size_t i = first; i < count; ++i) local[i] = true;
  return local;
}

Result<void> readWindows(const Keys& keys, std::vector<LayerConfig>& layers) {
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<NamedLayer> named, namedLayers(keys, layers.size()));
  for (size_t i = 0; i < named.size(); ++i)
    if (named[i].kind != LayerKind::kAttention)
      layers[i].kind = named[i].kind;
  LLCUDA_ASSIGN_OR_RETURN(const bool used, keys.flag(Key::kUseWindow, true));
  if (!used || keys.isNull(Key::kWindow))
    return {};
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t window, keys.optional(Key::kWindow, 0, {0, UINT32_MAX}));
  if (window == 0)
    return {};
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<bool> local, localLayers(keys, named, layers.size()));
  for (size_t i = 0; i < layers.size(); ++i) layers[i].window = local[i] ? window : 0;
  return {};
}

/// The last blocks of a file may predict further tokens. Lists of the file have a number for each of them too.
Result<void> leavePredictingLayers(const Keys& keys, ModelConfig& config) {
  const auto others = static_cast<uint32_t>(config.layers.size() - 1);
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t predicting, keys.optional(Key::kPredictingLayers, 0, {0, others}));
  config.layers.resize(config.layers.size() - predicting);
  return {};
}

/// Each of the last layers attends over the cache of the last one before them with its window.
Result<void> readSharedCaches(const Keys& keys, std::vector<LayerConfig>& layers) {
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t shared, keys.optional(Key::kSharedCaches, 0, {0, layers.size() - 1}));
  const size_t own = layers.size() - shared;
  for (size_t i = own; i < layers.size(); ++i) {
    size_t source = own;
    while (source > 0 && layers[source - 1].window != layers[i].window) --source;
    if (source == 0)
      return badInput(keys.title(Key::kSharedCaches), " is ", shared, ", but no layer before those has layer ", i,
                      "'s window");
    layers[i].cache = static_cast<uint32_t>(source - 1);
  }
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

/// Its place among those of `config`, where each stands once.
uint32_t ropeIndex(const RopeConfig& rope, ModelConfig& config) {
  const auto found = std::ranges::find(config.ropes, rope);
  if (found != config.ropes.end())
    return static_cast<uint32_t>(found - config.ropes.begin());
  config.ropes.push_back(rope);
  return static_cast<uint32_t>(config.ropes.size() - 1);
}

/// Gives each layer the rope of its head size and window; those of layers without a window come first.
Result<void> addRopes(const ReadRope& readRope, ModelConfig& config) {
  for (const bool local : {false, true}) {
    std::map<uint32_t, uint32_t> indices; // by head size
    for (LayerConfig& layer : config.layers) {
      if ((layer.window != 0) != local)
        continue;
      auto found = indices.find(layer.headSize);
      if (found == indices.end()) {
        LLCUDA_ASSIGN_OR_RETURN(const RopeConfig rope, readRope(config, layer.headSize, local));
        found = indices.emplace(layer.headSize, ropeIndex(rope, config)).first;
      }
      if (layer.rope != LayerConfig::kNoRope)
        layer.rope = found->second;
    }
  }
  return {};
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
  if (name == "gelu")
    return Activation::kGeluErf;
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

/// GGUF's numbers, as llama.cpp's LLAMA_POOLING_TYPE_*. What ranks texts and what leaves all rows is no embedding of
/// one row: for such a file the default of those that say nothing holds.
Result<void> readPooling(const Keys& keys, ModelConfig& config) {
  constexpr Pooling kByNumber[] = {Pooling::kUnset, Pooling::kMean, Pooling::kCls, Pooling::kLast, Pooling::kUnset};
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t number, keys.optional(Key::kPooling, 0, {0, std::size(kByNumber) - 1}));
  config.pooling = kByNumber[number];
  return {};
}

} // namespace

Result<ModelConfig> readConfig(const Family& family, const Keys& keys, uint32_t vocabulary, const ReadRope& readRope) {
  ModelConfig config;
  config.family = &family;
  config.bothWays = family.encoder;
  config.vocabulary = vocabulary;
  LLCUDA_RETURN_IF_ERROR(refuseOthers(family, keys));
  LLCUDA_ASSIGN_OR_RETURN(config.trainedContext, keys.required(Key::kContext, {1, kMaxContext}));
  LLCUDA_ASSIGN_OR_RETURN(config.embedding, keys.required(Key::kEmbedding, {1, kMaxWidth}));
  LLCUDA_ASSIGN_OR_RETURN(config.layers, readLayers(keys, family, config.embedding));
  if (family.experts)
    LLCUDA_RETURN_IF_ERROR(readExperts(keys, config.layers));
  LLCUDA_RETURN_IF_ERROR(readWindows(keys, config.layers));
  if (family.layers)
    LLCUDA_RETURN_IF_ERROR(family.layers(keys, config));
  LLCUDA_RETURN_IF_ERROR(leavePredictingLayers(keys, config));
  LLCUDA_RETURN_IF_ERROR(readSharedCaches(keys, config.layers));
  LLCUDA_RETURN_IF_ERROR(readNope(keys, config.layers));
  LLCUDA_RETURN_IF_ERROR(readNumbers(keys, family, config));
  LLCUDA_RETURN_IF_ERROR(readPooling(keys, config));
  config.pairOrder = keys.kind() == FileKind::kGguf ? family.ggufPairs : family.hfPairs;
  config.normPlus = keys.kind() == FileKind::kGguf ? 0 : family.hfNormPlus;
  LLCUDA_RETURN_IF_ERROR(addRopes(readRope, config));
  if (family.complete)
    LLCUDA_RETURN_IF_ERROR(family.complete(keys, config));
  LLCUDA_RETURN_IF_ERROR(checkConfig(config));
  return config;
}

} // namespace llcuda::models
