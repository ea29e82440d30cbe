// SPDX-License-Identifier: Apache-2.0
// Qwen 3 with experts: the layer of Qwen 3, whose feed-forward is that of the experts that a router chooses.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static constexpr auto kModules = joined(kAttentionLinears, kPreNorm, kHeadNorms, kExpertLinears, kFoldedExperts);

constinit const Family kQwen3Moe{
    .architecture = "qwen3moe",
    .gguf = {"qwen3moe"},
    .huggingFace = {"Qwen3MoeForCausalLM"},
    .modelTypes = {"qwen3_moe"},
    .models = "Qwen 3 MoE",
    .formula = "the same as qwen3; each row takes the feed-forwards of the experts that a router chooses, by the "
               "softmax of its logits",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 32768},
             {Key::kFeedForward, "feed_forward_length", "intermediate_size", 6144},
             {Key::kHeadSize, "attention.key_length", "head_dim", 128},
             {Key::kKvHeads, "attention.head_count_kv", "num_key_value_heads", 4},
             {Key::kUseWindow, "", "use_sliding_window", false},
             {Key::kExperts, "expert_count", "num_experts", 128},
             {Key::kExperts, "", "num_local_experts", 128},
             {Key::kExpertsUsed, "expert_used_count", "num_experts_per_tok", 8},
             {Key::kExpertFeedForward, "expert_feed_forward_length", "moe_intermediate_size", 768},
             {Key::kExpertsNormalized, "expert_weights_norm", "norm_topk_prob"}},
    .tensors = kModules,
    .experts = true,
    .layer = qwen3Layer,
};

} // namespace llcuda::models
