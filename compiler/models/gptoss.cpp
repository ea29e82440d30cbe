// SPDX-License-Identifier: Apache-2.0
// gpt-oss: biases on all linears, a sink beside the scores of each head, a window on every other layer, experts whose
// gated unit clamps. Frequencies of yarn change between fractions of pairs, as in transformers; llama.cpp rounds them.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static Rows gptOssLayer(LayerBuilder& b, Rows x) {
  const auto [query, key, value] = b.queryKeyValue(b.rmsNorm(x, "attn_norm"));
  x = b.residual(x, b.attentionOutput(b.attention(b.rotated(query), b.rotated(key), value)));
  return b.residual(x, b.feedForward(b.rmsNorm(x, "post_attention_norm")));
}

/// Experts in 16 bits have inputs before outputs; those in blocks, and those of bitsandbytes, do not.
static constexpr std::array<HfModule, 11> kExperts = {{{"post_attention_layernorm", "post_attention_norm"},
                                                       {"self_attn.sinks", "attn_sinks", true},
                                                       {"mlp.router", "ffn_gate_inp"},
                                                       {"mlp.experts.gate_up_proj", "ffn_gate_up_exps_columns", true},
                                                       {"mlp.experts.gate_up_proj_blocks", "ffn_gate_up_exps", true},
                                                       {"mlp.experts.gate_up_proj_bias", "ffn_gate_up_exps_bias", true},
                                                       {"mlp.experts.gate_up_projs.*", "ffn_gate_up.*"},
                                                       {"mlp.experts.down_proj", "ffn_down_exps_columns", true},
                                                       {"mlp.experts.down_proj_blocks", "ffn_down_exps", true},
                                                       {"mlp.experts.down_proj_bias", "ffn_down_exps_bias", true},
                                                       {"mlp.experts.down_projs.*", "ffn_down.*"}}};
static constexpr auto kModules = joined(kAttentionLinears, kExperts);

constinit const Family kGptOss{
    .architecture = "gpt-oss",
    .gguf = {"gpt-oss"},
    .huggingFace = {"GptOssForCausalLM"},
    .modelTypes = {"gpt_oss"},
    .models = "gpt-oss",
    .formula =
        "halves of a head turn, by yarn without rounding; biases; a sink beside the scores of each head; a window "
        "on layers 0, 2, 4, ...; experts by the softmax of the logits chosen, gates up to 7 and ups from -7 to 7",
    .keys = {{Key::kContext, "", "max_position_embeddings", 131072},
             {Key::kFeedForward, "feed_forward_length", "intermediate_size", 2880},
             {Key::kHeadSize, "attention.key_length", "head_dim", 64},
             {Key::kKvHeads, "", "num_key_value_heads", 8},
             {Key::kNormEps, "", "rms_norm_eps", 1e-5},
             {Key::kWindow, "attention.sliding_window", "sliding_window", 128},
             {Key::kWindowPattern, "attention.sliding_window_pattern", "", 2},
             {Key::kRopeBase, "rope.freq_base", "rope_theta", 150000},
             {Key::kExperts, "expert_count", "num_local_experts"},
             {Key::kExpertsUsed, "expert_used_count", "num_experts_per_tok"},
             {Key::kExpertsUsed, "", "experts_per_token"},
             {Key::kExpertFeedForward, "expert_feed_forward_length", "intermediate_size"},
             {Key::kExpertsNormalized, "expert_weights_norm", "", true}},
    .tensors = kModules,
    .wholeYarnPairs = false,
    .experts = true,
    .expertsByTurns = true,
    .activation = Activation::kSwigluOai,
    .activations = {{"silu", Activation::kSwigluOai}},
    .layer = gptOssLayer,
};

} // namespace llcuda::models
