// SPDX-License-Identifier: Apache-2.0
// Qwen 3.5 and 3.6 without experts (text): of four layers three have linear attention by the gated delta rule, and what
// the fourth attends to is gated.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static constexpr std::array<HfModule, 10> kDeltaModules = {{{"linear_attn.in_proj_qkv", "attn_qkv"},
                                                            {"linear_attn.in_proj_z", "attn_gate"},
                                                            {"linear_attn.in_proj_a", "ssm_alpha"},
                                                            {"linear_attn.in_proj_b", "ssm_beta"},
                                                            {"linear_attn.conv1d", "ssm_conv1d"},
                                                            {"linear_attn.A_log", "ssm_a", /*isTensor=*/true},
                                                            {"linear_attn.dt_bias", "ssm_dt", /*isTensor=*/true},
                                                            {"linear_attn.norm", "ssm_norm"},
                                                            {"linear_attn.out_proj", "ssm_out"},
                                                            {"post_attention_layernorm", "post_attention_norm"}}};
static constexpr auto kModules = joined(kLinears, kHeadNorms, kDeltaModules);

/// Files name the layers without attention, or of how many layers the last has it.
static Result<void> readKinds(const Keys& keys, std::vector<LayerConfig>& layers) {
  if (keys.has(Key::kLayerTypes))
    return {};
  const std::optional<Stated> stated =
      keys.has(Key::kRecurrentLayers) ? keys.all().present("attention.recurrent_layers") : std::nullopt;
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t interval, keys.optional(Key::kAttentionInterval, 4, {1, kMaxLayers}));
  const auto* flags = stated ? std::get_if<List>(&*stated) : nullptr;
  if (stated && (!flags || flags->size() > layers.size()))
    return badInput(keys.title(Key::kRecurrentLayers), " is not a list of up to ", layers.size(), " flags");
  for (size_t i = 0; i < layers.size(); ++i) {
    bool recurrent = (i + 1) % interval != 0;
    if (flags && i < flags->size()) {
      const auto* flag = std::get_if<bool>(&(*flags)[i]);
      if (!flag)
        return badInput(keys.title(Key::kRecurrentLayers), "[", i, "] is not true or false");
      recurrent = *flag;
    }
    layers[i].kind = recurrent ? LayerKind::kRecurrent : LayerKind::kAttention;
  }
  return {};
}

static Result<void> readLayers(const Keys& keys, ModelConfig& config) {
  const bool isGguf = keys.kind() == FileKind::kGguf;
  LLCUDA_RETURN_IF_ERROR(readKinds(keys, config.layers));
  LLCUDA_ASSIGN_OR_RETURN(config.convolutionTaps, keys.required(Key::kConvolutionTaps, kTaps));
  DeltaConfig& delta = config.delta;
  delta.grouped = delta.logRates = !isGguf;
  LLCUDA_ASSIGN_OR_RETURN(delta.keyHeads, keys.required(Key::kDeltaKeyHeads, {1, kMaxHeads}));
  LLCUDA_ASSIGN_OR_RETURN(delta.valueHeads, keys.required(Key::kDeltaValueHeads, {1, kMaxHeads}));
  LLCUDA_ASSIGN_OR_RETURN(delta.headSize, keys.required(Key::kDeltaHeadSize, {1, kHeadSizes.high}));
  const uint32_t heads = isGguf ? delta.valueHeads : 1; // GGUF files have the columns of all of them
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t values, keys.required(Key::kDeltaValueSize, {1, kMaxWidth}));
  if (values != uint64_t{delta.headSize} * heads)
    return unsupported(keys.title(Key::kDeltaValueSize), " is ", values, ", but keys have ", delta.headSize,
                       " elements: only values of the same size are supported");
  return {};
}

static Rows qwen35Layer(LayerBuilder& b, Rows x) {
  const Rows normed = b.rmsNorm(x, "attn_norm");
  if (b.kind() == LayerKind::kRecurrent) {
    x = b.residual(x, b.deltaRule(normed));
  } else {
    const auto [query, key, value, gate] = b.gatedQueryKeyValue(normed);
    const Rows rotatedQuery = b.rotated(b.headNorm(query, "attn_q_norm"));
    const Rows rotatedKey = b.rotated(b.headNorm(key, "attn_k_norm"));
    x = b.residual(x, b.attentionOutput(b.gatedBy(b.attention(rotatedQuery, rotatedKey, value), gate)));
  }
  return b.residual(x, b.feedForward(b.rmsNorm(x, "post_attention_norm")));
}

constinit const Family kQwen35{
    .architecture = "qwen35",
    .gguf = {"qwen35"},
    .huggingFace = {"Qwen3_5ForCausalLM", "Qwen3_5ForConditionalGeneration"},
    .modelTypes = {"qwen3_5_text", "qwen3_5"},
    .models = "Qwen 3.5, Qwen 3.6 without experts (text)",
    .formula = "the layer of qwen3 with a gate of what is attended, a quarter of each head turns; three of four layers "
               "have linear attention by the gated delta rule in its place",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 32768},
             {Key::kHeads, "attention.head_count", "num_attention_heads", 16},
             {Key::kKvHeads, "attention.head_count_kv", "num_key_value_heads", 4},
             {Key::kHeadSize, "attention.key_length", "head_dim", 256},
             {Key::kPartialRotary, "", "partial_rotary_factor", 0.25},
             {Key::kConvolutionTaps, "ssm.conv_kernel", ""},
             {Key::kConvolutionTaps, "", "linear_conv_kernel_dim", 4},
             {Key::kRecurrentLayers, "attention.recurrent_layers", ""},
             {Key::kAttentionInterval, "full_attention_interval", "full_attention_interval", 4},
             {Key::kDeltaKeyHeads, "ssm.group_count", ""},
             {Key::kDeltaKeyHeads, "", "linear_num_key_heads", 16},
             {Key::kDeltaValueHeads, "ssm.time_step_rank", ""},
             {Key::kDeltaValueHeads, "", "linear_num_value_heads", 32},
             {Key::kDeltaHeadSize, "ssm.state_size", ""},
             {Key::kDeltaHeadSize, "", "linear_key_head_dim", 128},
             {Key::kDeltaValueSize, "ssm.inner_size", ""},
             {Key::kDeltaValueSize, "", "linear_value_head_dim", 128}},
    .tensors = kModules,
    .hfNormPlus = 1,
    .otherLayers = LayerKind::kRecurrent,
    .layers = readLayers,
    .layer = qwen35Layer,
};

} // namespace llcuda::models
