// SPDX-License-Identifier: Apache-2.0
// ModernBERT: rows see the whole text, in two of three layers a window around them; ropes, norms about the mean in
// front of each part, and a gated GELU.
#include "compiler/models/config_limits.h"
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static constexpr HfModule kModules[] = {{"attn_norm", "attn_norm"}, {"attn.Wqkv", "attn_qkv"},
                                        {"attn.Wo", "attn_output"}, {"mlp_norm", "ffn_norm"},
                                        {"mlp.Wi", "ffn_up"},       {"mlp.Wo", "ffn_down"}};
static constexpr HfModule kOutside[] = {
    {"embeddings.tok_embeddings", "token_embd"}, {"embeddings.norm", "token_embd_norm"}, {"final_norm", "output_norm"}};
static constexpr std::string_view kOthers[] = {"head.", "decoder.", "classifier."};

/// Where a file says a period, the first layer of each sees everything.
static Result<void> layers(const Keys& keys, ModelConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t window, keys.optional(Key::kWindow, 0, {0, UINT32_MAX}));
  if (keys.has(Key::kLayerTypes) || keys.isList(Key::kWindowPattern))
    return {};
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t period, keys.optional(Key::kWindowPattern, 3, {1, kMaxLayers}));
  for (size_t i = 0; i < config.layers.size(); ++i) config.layers[i].window = i % period == 0 ? 0 : window;
  return {};
}

static Rows begin(LayerBuilder& b, Rows x) {
  return b.layerNorm(x, "token_embd_norm");
}

static Rows modernBertLayer(LayerBuilder& b, Rows x) {
  // The norm of the embeddings is that of the first layer too.
  const Rows normed = b.hasTensor("attn_norm") ? b.layerNorm(x, "attn_norm") : x;
  const auto [query, key, value] = b.queryKeyValue(normed);
  x = b.residual(x, b.attentionOutput(b.attention(b.rotated(query), b.rotated(key), value)));
  return b.residual(x, b.feedForward(b.layerNorm(x, "ffn_norm")));
}

static Rows end(LayerBuilder& b, Rows x) {
  return b.dense(b.layerNorm(x, "output_norm"));
}

constinit const Family kModernBert{
    .architecture = "modern-bert",
    .gguf = {"modern-bert"},
    .huggingFace = {"ModernBertModel", "ModernBertForMaskedLM"},
    .modelTypes = {"modernbert"},
    .models = "ModernBERT and its embedders",
    .formula = "attention both ways, in two of three layers within a window; LayerNorm; GELU with a gate",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 8192},
             {Key::kNormEps, "attention.layer_norm_epsilon", "norm_eps", 1e-5},
             {Key::kCausal, "attention.causal", "", false},
             {Key::kWindow, "attention.sliding_window", "local_attention", 128},
             {Key::kWindowPattern, "attention.sliding_window_pattern", "global_attn_every_n_layers", 3},
             {Key::kRopeBase, "rope.freq_base", "global_rope_theta", 160000},
             {Key::kLocalRopeBase, "rope.freq_base_swa", "local_rope_theta", 10000}},
    .tensors = kModules,
    .modelTensors = kOutside,
    .otherTensors = kOthers,
    .plainLocalRope = true,
    .activation = Activation::kGeluErf,
    .layers = layers,
    .layer = modernBertLayer,
    .denseModules = true,
    .encoder = true,
    .begin = begin,
    .end = end,
};

} // namespace llcuda::models
