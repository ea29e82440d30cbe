// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/hf_config.h"

#include <algorithm>
#include <cmath>

#include "codegen/formats/numbers.h"
#include "compiler/ingest/message_parts.h"
#include "compiler/models/hf_keys.h"
#include "compiler/models/hf_quantization.h"
#include "compiler/models/hf_rope.h"

namespace llcuda::models {
namespace {

using ingest::Quoted;
using Json = nlohmann::json;

/// A family by the names that transformers gives it, and what its classes take where a file is silent. 0: the file must
/// say it, or it follows from other numbers.
struct Family {
  std::string_view modelClass; ///< architectures[0]
  std::string_view modelType;
  std::string_view architecture; ///< ours
  bool gemma = false;            ///< norms less 1, scaled embedding, tanh GELU
  bool postNorms = false;
  bool tied = false;
  double normEps = 1e-6;
  uint32_t context = 0;
  uint32_t heads = 0, kvHeads = 0, headSize = 0;
  uint32_t vocabulary = 0;
  uint32_t window = 0;        ///< of a file without the key
  uint32_t windowPattern = 0; ///< of so many layers the last sees everything; 0: all layers have the window
  double ropeBase = 10000;
  double attentionScalar = 0; ///< query_pre_attn_scalar
  double attentionSoftcap = 0, logitSoftcap = 0;
};

constexpr Family kFamilies[] = {
    {.modelClass = "LlamaForCausalLM", .modelType = "llama", .architecture = "llama", .context = 2048},
    {.modelClass = "MistralForCausalLM",
     .modelType = "mistral",
     .architecture = "llama",
     .context = 131072,
     .kvHeads = 8,
     .window = 4096},
    {.modelClass = "Qwen2ForCausalLM", .modelType = "qwen2", .architecture = "qwen2", .context = 32768},
    {.modelClass = "Qwen3ForCausalLM",
     .modelType = "qwen3",
     .architecture = "qwen3",
     .context = 32768,
     .headSize = 128},
    {.modelClass = "GemmaForCausalLM",
     .modelType = "gemma",
     .architecture = "gemma",
     .gemma = true,
     .tied = true,
     .context = 8192,
     .headSize = 256},
    {.modelClass = "Gemma2ForCausalLM",
     .modelType = "gemma2",
     .architecture = "gemma2",
     .gemma = true,
     .postNorms = true,
     .tied = true,
     .context = 8192,
     .headSize = 256,
     .window = 4096,
     .windowPattern = 2,
     .attentionScalar = 256,
     .attentionSoftcap = 50,
     .logitSoftcap = 30},
    {.modelClass = "Gemma3ForCausalLM",
     .modelType = "gemma3_text",
     .architecture = "gemma3",
     .gemma = true,
     .postNorms = true,
     .tied = true,
     .context = 131072,
     .heads = 8,
     .kvHeads = 4,
     .headSize = 256,
     .vocabulary = 262208,
     .window = 4096,
     .windowPattern = 6,
     .ropeBase = 1e6,
     .attentionScalar = 256},
    {.modelClass = "Phi3ForCausalLM", .modelType = "phi3", .architecture = "phi3", .normEps = 1e-5, .context = 4096},
    {.modelClass = "SmolLM3ForCausalLM",
     .modelType = "smollm3",
     .architecture = "smollm3",
     .tied = true,
     .context = 32768,
     .ropeBase = 2e6},
};

std::string classNames() {
  std::string names;
  for (const Family& family : kFamilies) names += (names.empty() ? "" : ", ") + std::string(family.modelClass);
  return names;
}

/// The family that `architectures` names, or that `model_type` names where a file has no architectures.
Result<const Family*> familyOf(const HfKeys& keys) {
  const Json* const classes = keys.find("architectures");
  std::string name;
  if (classes && classes->is_array() && !classes->empty() && classes->front().is_string())
    name = classes->front().get<std::string>();
  else if (classes)
    return badInput("architectures is not a list of names");
  LLCUDA_ASSIGN_OR_RETURN(std::string type, keys.text("model_type", ""));
  if (name.empty() && type.empty())
    return badInput("has neither architectures nor a model_type");
  // Text and vision in one: the text part is a model of the family.
  if (name == "Gemma3ForConditionalGeneration" || (name.empty() && type == "gemma3"))
    name = "Gemma3ForCausalLM";
  for (const Family& family : kFamilies)
    if (name.empty() ? family.modelType == type : family.modelClass == name)
      return &family;
  return unsupported("the architecture ", Quoted{name.empty() ? type : name},
                     " is not supported; supported: ", classNames());
}

Result<Activation> activationOf(const HfKeys& keys, const Family& family) {
  const char* const standard = family.gemma ? "gelu_pytorch_tanh" : "silu";
  LLCUDA_ASSIGN_OR_RETURN(const std::string older, keys.text("hidden_act", standard));
  LLCUDA_ASSIGN_OR_RETURN(const std::string name, keys.text("hidden_activation", older));
  if (name == "silu" || name == "swish")
    return Activation::kSilu;
  // The first Gemma files say gelu and mean its approximation.
  if (name == "gelu_pytorch_tanh" || name == "gelu_new" || (family.architecture == "gemma" && name == "gelu"))
    return Activation::kGeluTanh;
  return unsupported("the activation ", Quoted{name}, " is not supported");
}

/// sqrt(hidden) in the type that the model computes in, as transformers rounds it.
Result<double> embeddingScaleOf(const HfKeys& root, const HfKeys& keys, uint32_t hidden) {
  std::string type;
  for (const HfKeys* place : {&root, &keys})
    for (const char* key : {"torch_dtype", "dtype"})
      if (place->find(key)) {
        LLCUDA_ASSIGN_OR_RETURN(type, place->text(key, ""));
      }
  const auto scale = static_cast<float>(std::sqrt(static_cast<double>(hidden)));
  if (type == "bfloat16")
    return formats::bf16ToFloat(formats::floatToBf16(scale));
  if (type == "float16")
    return formats::halfToFloat(formats::floatToHalf(scale));
  return scale;
}

/// `layer_types`, one name a layer.
Result<std::vector<bool>> namedLocalLayers(const Json& types, uint32_t layers) {
  if (!types.is_array() || types.size() != layers)
    return badInput("layer_types is not a list of ", layers, " names");
  std::vector<bool> local;
  for (const Json& type : types) {
    if (type != "sliding_attention" && type != "full_attention")
      return unsupported("layer_types[", local.size(), "] is ", Quoted{type.dump(-1, ' ', true)},
                         "; sliding_attention and full_attention are supported");
    local.push_back(type == "sliding_attention");
  }
  return local;
}

/// Which layers have the window, where no key says it layer by layer.
Result<std::vector<bool>> usualLocalLayers(const HfKeys& keys, const Family& family, uint32_t layers) {
  std::vector<bool> local(layers, family.architecture == "llama" || family.architecture == "phi3");
  if (family.windowPattern != 0) {
    LLCUDA_ASSIGN_OR_RETURN(const uint32_t pattern,
                            keys.optional("sliding_window_pattern", family.windowPattern, {1, kMaxLayers}));
    for (uint32_t i = 0; i < layers; ++i) local[i] = (i + 1) % pattern != 0;
  } else if (keys.has("max_window_layers")) {
    LLCUDA_ASSIGN_OR_RETURN(const uint32_t first, keys.optional("max_window_layers", layers, {0, UINT32_MAX}));
    for (uint32_t i = first; i < layers; ++i) local[i] = true;
  }
  return local;
}

Result<void> readWindow(const HfKeys& keys, const Family& family, ModelConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(
      const bool used, keys.flag("use_sliding_window",
                                 family.modelType.starts_with("qwen") || family.modelType == "smollm3" ? false : true));
  const uint32_t otherwise = keys.has("sliding_window") ? 0 : family.window; // null: no window
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t window, keys.optional("sliding_window", otherwise, {1, kMaxContext}));
  if (!used || window == 0)
    return {};
  const Json* const types = keys.find("layer_types");
  LLCUDA_ASSIGN_OR_RETURN(std::vector<bool> local, types ? namedLocalLayers(*types, config.layers)
                                                         : usualLocalLayers(keys, family, config.layers));
  if (std::ranges::find(local, true) == local.end())
    return {};
  config.window = window;
  config.localLayers = std::move(local);
  return {};
}

/// The layers that SmolLM3 leaves unturned.
Result<void> readUnturned(const HfKeys& keys, const Family& family, ModelConfig& config) {
  if (family.modelType != "smollm3")
    return {};
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t interval, keys.optional("no_rope_layer_interval", 4, {1, kMaxLayers}));
  const Json* const turned = keys.find("no_rope_layers"); // despite its name, 1 for layers with a rope
  if (turned && (!turned->is_array() || turned->size() != config.layers))
    return badInput("no_rope_layers is not a list of ", config.layers, " numbers");
  for (uint32_t i = 0; i < config.layers; ++i) {
    if (turned && (*turned)[i] != 0 && (*turned)[i] != 1)
      return badInput("no_rope_layers[", i, "] is not 0 or 1");
    config.unturnedLayers.push_back(turned ? (*turned)[i] == 0 : (i + 1) % interval == 0);
  }
  return {};
}

Result<void> readSizes(const HfKeys& keys, const Family& family, ModelConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(config.layers, keys.required("num_hidden_layers", {1, kMaxLayers}));
  LLCUDA_ASSIGN_OR_RETURN(config.embedding, keys.required("hidden_size", {1, kMaxWidth}));
  LLCUDA_ASSIGN_OR_RETURN(config.feedForward, keys.required("intermediate_size", {1, kMaxWidth}));
  const auto known = [&](const char* key, uint32_t otherwise, Bounds bounds) {
    return otherwise == 0 ? keys.required(key, bounds) : keys.optional(key, otherwise, bounds);
  };
  LLCUDA_ASSIGN_OR_RETURN(config.heads, known("num_attention_heads", family.heads, {1, kMaxHeads}));
  LLCUDA_ASSIGN_OR_RETURN(config.vocabulary, known("vocab_size", family.vocabulary, {1, kMaxVocabulary}));
  LLCUDA_ASSIGN_OR_RETURN(config.trainedContext,
                          keys.optional("max_position_embeddings", family.context, {1, kMaxContext}));
  const uint32_t kvHeads = family.kvHeads != 0 && !keys.has("num_key_value_heads") ? family.kvHeads : config.heads;
  LLCUDA_ASSIGN_OR_RETURN(config.kvHeads, keys.optional("num_key_value_heads", kvHeads, {1, config.heads}));
  const uint32_t headSize = family.headSize != 0 ? family.headSize : config.embedding / config.heads;
  if (!keys.find("head_dim") && family.headSize == 0 && config.embedding % config.heads != 0)
    return badInput("a hidden_size of ", config.embedding, " cannot be split into ", config.heads, " heads");
  LLCUDA_ASSIGN_OR_RETURN(config.headSize, keys.optional("head_dim", headSize, kHeadSizes));
  return {};
}

/// A softcap that a file may switch off with null.
Result<double> softcap(const HfKeys& keys, const char* key, double otherwise) {
  return keys.has(key) ? keys.positive(key, 0) : otherwise;
}

Result<void> refuseOthers(const HfKeys& keys) {
  LLCUDA_ASSIGN_OR_RETURN(const bool bothWays, keys.flag("use_bidirectional_attention", false));
  if (bothWays)
    return unsupported("use_bidirectional_attention is true; only causal models are supported");
  for (const char* key : {"num_experts", "num_local_experts"}) {
    LLCUDA_ASSIGN_OR_RETURN(const uint32_t experts, keys.optional(key, 0, {0, UINT32_MAX}));
    if (experts > 0)
      return unsupported(key, " is ", experts, "; mixtures of experts are not supported");
  }
  return {};
}

Result<ModelConfig> modelConfig(const HfKeys& root, const HfKeys& keys, const Family& family) {
  ModelConfig config;
  config.architecture = family.architecture;
  LLCUDA_RETURN_IF_ERROR(refuseOthers(keys));
  LLCUDA_RETURN_IF_ERROR(readSizes(keys, family, config));
  LLCUDA_ASSIGN_OR_RETURN(config.normEps, keys.number("rms_norm_eps", family.normEps));
  LLCUDA_ASSIGN_OR_RETURN(config.activation, activationOf(keys, family));
  LLCUDA_RETURN_IF_ERROR(readWindow(keys, family, config));
  LLCUDA_RETURN_IF_ERROR(readUnturned(keys, family, config));
  LLCUDA_RETURN_IF_ERROR(readRopes(keys, family.ropeBase, config));
  config.pairOrder = PairOrder::kHalves;
  if (family.gemma) {
    config.normPlus = 1;
    LLCUDA_ASSIGN_OR_RETURN(config.embeddingScale, embeddingScaleOf(root, keys, config.embedding));
  }
  if (family.attentionScalar != 0) {
    LLCUDA_ASSIGN_OR_RETURN(const double scalar, keys.positive("query_pre_attn_scalar", family.attentionScalar));
    config.attentionScale = 1 / std::sqrt(scalar);
  }
  LLCUDA_ASSIGN_OR_RETURN(config.attentionSoftcap, softcap(keys, "attn_logit_softcapping", family.attentionSoftcap));
  LLCUDA_ASSIGN_OR_RETURN(config.logitSoftcap, softcap(keys, "final_logit_softcapping", family.logitSoftcap));
  LLCUDA_RETURN_IF_ERROR(checkConfig(config));
  return config;
}

} // namespace

Result<HfConfig> configFromHf(const Json& json) {
  if (!json.is_object())
    return badInput("is not a JSON object");
  const HfKeys root(json);
  LLCUDA_ASSIGN_OR_RETURN(const Family* const family, familyOf(root));
  const Json* const text = root.find("text_config");
  if (text && !text->is_object())
    return badInput("text_config is not an object");
  const HfKeys keys(text ? *text : json);

  HfConfig config;
  LLCUDA_ASSIGN_OR_RETURN(config.model, modelConfig(root, keys, *family));
  LLCUDA_ASSIGN_OR_RETURN(const bool tied, keys.flag("tie_word_embeddings", family->tied));
  LLCUDA_ASSIGN_OR_RETURN(config.tensors.tiedHead, root.flag("tie_word_embeddings", tied));
  config.tensors.naming.postNorms = family->postNorms;
  LLCUDA_ASSIGN_OR_RETURN(config.quantize, quantizationOf(root));
  return config;
}

} // namespace llcuda::models
