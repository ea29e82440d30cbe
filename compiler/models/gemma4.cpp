// SPDX-License-Identifier: Apache-2.0
// Gemma 4 without experts (text): the layer of Gemma 3 with a norm of values, scores that are not scaled, another head
// size on layers without a window, where values may be keys, caches that the last layers share, and perhaps embeddings
// of each layer.
#include <algorithm>

#include "compiler/models/gemma.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static constexpr std::array<HfModule, 4> kOwnEmbedding = {{{"per_layer_input_gate", "inp_gate"},
                                                           {"per_layer_projection", "proj"},
                                                           {"post_per_layer_input_norm", "post_norm"},
                                                           {"layer_scalar", "layer_output_scale", /*isTensor=*/true}}};
static constexpr auto kModules = joined(kLinears, kSandwichNorms, kHeadNorms, kOwnEmbedding);

/// GGUF files have the head size of layers without a window as the usual one, and beside it that of the others.
static Result<void> readGgufLayers(const Keys& keys, ModelConfig& config) {
  for (LayerConfig& layer : config.layers) {
    layer.keysAsValues = layer.window == 0;
    if (layer.window == 0)
      continue;
    LLCUDA_ASSIGN_OR_RETURN(const uint32_t size, keys.optional(Key::kLocalHeadSize, layer.headSize, kHeadSizes));
    LLCUDA_ASSIGN_OR_RETURN(const uint32_t values, keys.optional(Key::kLocalValueSize, size, kHeadSizes));
    if (size != values)
      return unsupported(keys.title(Key::kLocalHeadSize), " is ", size, " and ", keys.title(Key::kLocalValueSize), " ",
                         values, ": only equal head sizes are supported");
    layer.headSize = size;
  }
  return {};
}

/// A config.json has that of layers with a window as the usual one. Of the others it says it once or, as version 5 of
/// transformers writes it, for each of them; they have kv heads of their own where their values are keys.
static Result<void> readHfLayer(const Keys& keys, size_t index, LayerConfig& layer) {
  const Values& file = keys.all();
  const Bounds kvHeads = {1, layer.heads};
  LLCUDA_ASSIGN_OR_RETURN(const bool keysAreValues, file.flag("attention_k_eq_v", false));
  layer.keysAsValues = keysAreValues && layer.window == 0;
  if (file.has("per_layer_config")) {
    const std::string own = "per_layer_config." + std::to_string(index) + ".";
    LLCUDA_ASSIGN_OR_RETURN(layer.headSize, file.optional(own + "head_dim", layer.headSize, kHeadSizes));
    LLCUDA_ASSIGN_OR_RETURN(layer.kvHeads, file.optional(own + "num_key_value_heads", layer.kvHeads, kvHeads));
    return {};
  }
  if (layer.window != 0)
    return {};
  LLCUDA_ASSIGN_OR_RETURN(layer.headSize, keys.optional(Key::kGlobalHeadSize, 512, kHeadSizes));
  if (keysAreValues) {
    LLCUDA_ASSIGN_OR_RETURN(layer.kvHeads, keys.optional(Key::kGlobalKvHeads, layer.kvHeads, kvHeads));
  }
  return {};
}

static Result<void> readHfLayers(const Keys& keys, ModelConfig& config) {
  if (!keys.all().has("rope_parameters"))
    return badInput("has no rope_parameters");
  const size_t count = config.layers.size();
  config.layers.back().window = 0; // whatever layer_types says
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t shared, keys.optional(Key::kSharedCaches, 0, {0, count - 1}));
  LLCUDA_ASSIGN_OR_RETURN(const bool wide, keys.flag(Key::kWideShared, false));
  for (size_t i = 0; i < count; ++i) {
    LayerConfig& layer = config.layers[i];
    LLCUDA_RETURN_IF_ERROR(readHfLayer(keys, i, layer));
    if (wide && i >= count - shared)
      layer.feedForward *= 2;
  }
  return {};
}

static Result<void> readLayers(const Keys& keys, ModelConfig& config) {
  if (std::ranges::all_of(config.layers, [](const LayerConfig& layer) { return layer.window == 0; }) &&
      !keys.has(Key::kWindow))
    return badInput("has no ", keys.title(Key::kWindow));
  return keys.kind() == FileKind::kGguf ? readGgufLayers(keys, config) : readHfLayers(keys, config);
}

static Result<void> complete(const Keys& keys, ModelConfig& config) {
  LLCUDA_RETURN_IF_ERROR(completeGemma(keys, config));
  config.attentionScale = 1;
  config.valueNorms = true;
  const uint32_t usual = keys.kind() == FileKind::kGguf ? 0 : 256;
  LLCUDA_ASSIGN_OR_RETURN(config.layerEmbedding, keys.optional(Key::kLayerEmbedding, usual, {0, kMaxWidth}));
  return {};
}

static Rows gemma4Layer(LayerBuilder& b, Rows x) {
  const auto [query, key, value] = b.queryKeyValue(b.rmsNorm(x, "attn_norm"));
  const Rows rotatedQuery = b.rotated(b.headNorm(query, "attn_q_norm"));
  const Rows rotatedKey = b.rotated(b.headNorm(key, "attn_k_norm"));
  const Rows attended = b.attention(rotatedQuery, rotatedKey, b.headNorm(value, "attn_v_norm"));
  x = b.residual(x, b.rmsNorm(b.attentionOutput(attended), "post_attention_norm"));
  x = b.residual(x, b.rmsNorm(b.feedForward(b.rmsNorm(x, "ffn_norm")), "post_ffw_norm"));
  return b.scaledBy(b.ownEmbedding(x), "layer_output_scale");
}

constinit const Family kGemma4{
    .architecture = "gemma4",
    .gguf = {"gemma4"},
    .huggingFace = {"Gemma4ForCausalLM", "Gemma4ForConditionalGeneration", "Gemma4UnifiedForConditionalGeneration"},
    .modelTypes = {"gemma4_text", "gemma4", "gemma4_unified"},
    .models = "Gemma 4 without experts (text)",
    .formula = "the layer of Gemma 3 with norms of values and scores that are not scaled; a window on five of six "
               "layers; the others have another head size and turn a part of each head, and their values may be keys; "
               "the last layers may share caches, and each may have an embedding of its own",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 131072},
             {Key::kHeads, "attention.head_count", "num_attention_heads", 8},
             {Key::kKvHeads, "attention.head_count_kv", "num_key_value_heads", 4},
             {Key::kHeadSize, "attention.key_length", "head_dim", 256},
             {Key::kLocalHeadSize, "attention.key_length_swa", ""},
             {Key::kLocalValueSize, "attention.value_length_swa", ""},
             {Key::kGlobalHeadSize, "", "global_head_dim"},
             {Key::kGlobalKvHeads, "", "num_global_key_value_heads"},
             {Key::kWideShared, "", "use_double_wide_mlp", false},
             {Key::kLayerEmbedding, "embedding_length_per_layer_input", "hidden_size_per_layer_input"},
             {Key::kType, "", "dtype"},
             {Key::kType, "", "torch_dtype"},
             {Key::kWindow, "attention.sliding_window", "sliding_window", 512},
             {Key::kWindowPattern, "attention.sliding_window_pattern", "", 6},
             {Key::kRopeBase, "rope.freq_base", "rope_theta", 1e6},
             {Key::kLocalRopeBase, "rope.freq_base_swa", "", 10000},
             {Key::kLocalRopeDimensions, "rope.dimension_count_swa", ""},
             {Key::kLogitSoftcap, "final_logit_softcapping", "final_logit_softcapping", 0}},
    .tensors = kModules,
    .tiedHead = true,
    .plainLocalRope = true,
    .activation = Activation::kGeluTanh,
    .layers = readLayers,
    .complete = complete,
    .layer = gemma4Layer,
};

} // namespace llcuda::models
