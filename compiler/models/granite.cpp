// SPDX-License-Identifier: Apache-2.0
// Granite 3 and the dense ones of 4: the formula of llama with four scales, of embeddings, scores, what is added to the
// residual stream, and logits.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

/// Files of Granite 4 can also have experts and states. Those without have the feed-forward that all experts share.
static constexpr std::array<HfModule, 2> kSharedFeedForward = {
    {{"shared_mlp.input_linear", "ffn_up"}, {"shared_mlp.output_linear", "ffn_down"}}};
static constexpr auto kHybridModules = joined(kLlamaModules, kSharedFeedForward);

static Result<void> completeHybrid(const Keys& keys, ModelConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(const std::string positions, keys.all().text("position_embedding_type", ""));
  for (LayerConfig& layer : config.layers) {
    if (positions != "rope")
      layer.rope = LayerConfig::kNoRope;
    if (!keys.has(Key::kLayerTypes)) // transformers takes all of them for states
      layer.kind = LayerKind::kRecurrent;
  }
  return {};
}

constinit const Family kGranite{
    .architecture = "granite",
    .gguf = {"granite"},
    .huggingFace = {"GraniteForCausalLM"},
    .modelTypes = {"granite"},
    .models = "Granite 3; 4 without experts and states as GGUF files",
    .formula = "the same as llama; embeddings, scores, residual sums and logits have scales; "
               "`rope.scaling.finetuned` false: no layer turns",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 2048},
             {Key::kEmbeddingScale, "embedding_scale", "embedding_multiplier", 1},
             {Key::kResidualScale, "residual_scale", "residual_multiplier", 1},
             {Key::kAttentionScale, "attention.scale", "attention_multiplier", 1},
             {Key::kLogitDivisor, "logit_scale", "logits_scaling", 1},
             {Key::kRopeUsed, "rope.scaling.finetuned", "", true}},
    .tensors = kLlamaModules,
    .ggufPairs = PairOrder::kAdjacent,
    .layer = llamaLayer,
};

static constexpr std::array<HfModule, 3> kExperts = {{{"block_sparse_moe.router.layer", "ffn_gate_inp"},
                                                      {"block_sparse_moe.input_linear", "ffn_gate_up_exps"},
                                                      {"block_sparse_moe.output_linear", "ffn_down_exps"}}};
static constexpr auto kExpertModules = joined(kAttentionLinears, kPreNorm, kExperts);

constinit const Family kGraniteMoe{
    .architecture = "granitemoe",
    .gguf = {"granitemoe"},
    .huggingFace = {"GraniteMoeForCausalLM"},
    .modelTypes = {"granitemoe"},
    .models = "Granite 3 MoE",
    .formula = "the same as granite; experts as those of qwen3moe",
    .keys = {{Key::kContext, "", "max_position_embeddings", 2048},
             {Key::kEmbeddingScale, "embedding_scale", "embedding_multiplier", 1},
             {Key::kResidualScale, "residual_scale", "residual_multiplier", 1},
             {Key::kAttentionScale, "attention.scale", "attention_multiplier", 1},
             {Key::kLogitDivisor, "logit_scale", "logits_scaling", 1},
             {Key::kRopeUsed, "rope.scaling.finetuned", "", true},
             {Key::kExperts, "expert_count", "num_local_experts"},
             {Key::kExpertsUsed, "expert_used_count", "num_experts_per_tok"},
             {Key::kExpertFeedForward, "expert_feed_forward_length", "intermediate_size"},
             {Key::kExpertFeedForward, "feed_forward_length", ""},
             {Key::kExpertsNormalized, "expert_weights_norm", "", true}},
    .tensors = kExpertModules,
    .ggufPairs = PairOrder::kAdjacent,
    .experts = true,
    .layer = llamaLayer,
};

constinit const Family kGraniteHybrid{
    .architecture = "granite",
    .huggingFace = {"GraniteMoeHybridForCausalLM"},
    .modelTypes = {"granitemoehybrid"},
    .models = "Granite 4 without experts and states",
    .formula = "the same; layers turn where `position_embedding_type` is rope",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 2048},
             {Key::kFeedForward, "feed_forward_length", "shared_intermediate_size", 1024},
             {Key::kLocalExperts, "", "num_local_experts", 8},
             {Key::kEmbeddingScale, "embedding_scale", "embedding_multiplier", 1},
             {Key::kResidualScale, "residual_scale", "residual_multiplier", 1},
             {Key::kAttentionScale, "attention.scale", "attention_multiplier", 1},
             {Key::kLogitDivisor, "logit_scale", "logits_scaling", 1}},
    .tensors = kHybridModules,
    .complete = completeHybrid,
    .layer = llamaLayer,
};

} // namespace llcuda::models
