// SPDX-License-Identifier: Apache-2.0
// LFM 2 and 2.5: layers of attention, which are those of Qwen 3, between layers of a short convolution.
#include <cmath>

#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static constexpr std::array<HfModule, 14> kModules = {{{"operator_norm", "attn_norm"},
                                                       {"self_attn.q_proj", "attn_q"},
                                                       {"self_attn.k_proj", "attn_k"},
                                                       {"self_attn.v_proj", "attn_v"},
                                                       {"self_attn.out_proj", "attn_output"},
                                                       {"self_attn.q_layernorm", "attn_q_norm"},
                                                       {"self_attn.k_layernorm", "attn_k_norm"},
                                                       {"conv.in_proj", "shortconv.in_proj"},
                                                       {"conv.conv", "shortconv.conv"},
                                                       {"conv.out_proj", "shortconv.out_proj"},
                                                       {"ffn_norm", "ffn_norm"},
                                                       {"feed_forward.w1", "ffn_gate"},
                                                       {"feed_forward.w3", "ffn_up"},
                                                       {"feed_forward.w2", "ffn_down"}}};

/// What transformers makes of the units that a config.json states.
static Result<uint32_t> adjustedUnits(const Values& file, uint32_t stated) {
  LLCUDA_ASSIGN_OR_RETURN(const bool adjusts, file.flag("block_auto_adjust_ff_dim", true));
  if (!adjusts)
    return stated;
  const uint64_t units = uint64_t{2} * stated / 3;
  if (file.isNull("block_ffn_dim_multiplier"))
    return checkBounds("the width of the feed-forward", units, {1, kMaxWidth});
  LLCUDA_ASSIGN_OR_RETURN(const double factor, file.positive("block_ffn_dim_multiplier", 1));
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t multiple, file.optional("block_multiple_of", 256, {1, kMaxWidth}));
  const double wanted = std::floor(factor * static_cast<double>(units));
  if (!(wanted <= static_cast<double>(kMaxWidth)))
    return badInput("block_ffn_dim_multiplier is ", factor, ", which makes the feed-forward wider than ", kMaxWidth);
  const uint64_t whole = (static_cast<uint64_t>(wanted) + multiple - 1) / multiple * multiple;
  return checkBounds("the width of the feed-forward", whole, {1, kMaxWidth});
}

/// `full_attn_idxs`, of files without layer_types: the layers with attention, all without the key.
static Result<void> readAttentionLayers(const Values& file, std::vector<LayerConfig>& layers) {
  const std::optional<Stated> stated = file.present("full_attn_idxs");
  if (!stated)
    return {};
  const auto* listed = std::get_if<List>(&*stated);
  if (!listed)
    return badInput("full_attn_idxs is not a list of layers");
  for (LayerConfig& layer : layers) layer.kind = LayerKind::kConvolution;
  for (const Stated& item : *listed) {
    const auto* index = std::get_if<uint64_t>(&item);
    if (!index || *index >= layers.size())
      return badInput("full_attn_idxs names what is no layer of ", layers.size());
    layers[*index].kind = LayerKind::kAttention;
  }
  return {};
}

static Result<void> readLayers(const Keys& keys, ModelConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(config.convolutionTaps, keys.required(Key::kConvolutionTaps, kTaps));
  if (keys.kind() == FileKind::kGguf)
    return {};
  for (LayerConfig& layer : config.layers) {
    LLCUDA_ASSIGN_OR_RETURN(layer.feedForward, adjustedUnits(keys.all(), layer.feedForward));
  }
  return keys.has(Key::kLayerTypes) ? Result<void>() : readAttentionLayers(keys.all(), config.layers);
}

static Rows lfm2Layer(LayerBuilder& b, Rows x) {
  if (b.kind() == LayerKind::kAttention)
    return qwen3Layer(b, x);
  x = b.residual(x, b.shortConvolution(b.rmsNorm(x, "attn_norm")));
  return b.residual(x, b.feedForward(b.rmsNorm(x, "ffn_norm")));
}

constinit const Family kLfm2{
    .architecture = "lfm2",
    .gguf = {"lfm2"},
    .huggingFace = {"Lfm2ForCausalLM", "Lfm2VlForConditionalGeneration"},
    .modelTypes = {"lfm2", "lfm2_vl"},
    .models = "LFM 2, LFM 2.5; LFM 2 VL (text)",
    .formula = "the same as qwen3, and layers of a gated convolution over the last positions in place of attention",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 128000},
             {Key::kHeads, "attention.head_count", "num_attention_heads", 32},
             {Key::kKvHeads, "attention.head_count_kv", "num_key_value_heads", 8},
             {Key::kFeedForward, "feed_forward_length", "block_ff_dim"},
             {Key::kFeedForward, "feed_forward_length", "intermediate_size", 12288},
             {Key::kNormEps, "attention.layer_norm_rms_epsilon", "norm_eps", 1e-5},
             {Key::kRopeBase, "rope.freq_base", "rope_theta", 1e6},
             {Key::kConvolutionTaps, "shortconv.l_cache", ""},
             {Key::kConvolutionTaps, "", "conv_L_cache", 3}},
    .tensors = kModules,
    .tiedHead = true,
    .finalNorm = "token_embd_norm",
    .otherLayers = LayerKind::kConvolution,
    .layers = readLayers,
    .layer = lfm2Layer,
};

} // namespace llcuda::models
