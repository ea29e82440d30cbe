// SPDX-License-Identifier: Apache-2.0
// Gemma 3 (text): the layer of Gemma 2 with norms of each query and key head, and five layers with a sliding window and
// a rope of their own for each that attends to everything.
#include "compiler/models/gemma.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static constexpr auto kModules = joined(kLinears, kSandwichNorms, kHeadNorms);

static Result<void> complete(const Keys& keys, ModelConfig& config) {
  return completeScaledGemma(keys, config, /*layersOf27B=*/62);
}

Rows gemma3Layer(LayerBuilder& b, Rows x) {
  const auto [query, key, value] = b.queryKeyValue(b.rmsNorm(x, "attn_norm"));
  const Rows rotatedQuery = b.rotated(b.headNorm(query, "attn_q_norm"));
  const Rows rotatedKey = b.rotated(b.headNorm(key, "attn_k_norm"));
  const Rows attended = b.attention(rotatedQuery, rotatedKey, value);
  x = b.residual(x, b.rmsNorm(b.attentionOutput(attended), "post_attention_norm"));
  return b.residual(x, b.rmsNorm(b.feedForward(b.rmsNorm(x, "ffn_norm")), "post_ffw_norm"));
}

constinit const Family kGemma3{
    .architecture = "gemma3",
    .gguf = {"gemma3"},
    .writtenAs = "gemma3",
    .huggingFace = {"Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"},
    .modelTypes = {"gemma3_text", "gemma3"},
    .models = "Gemma 3 (text)",
    .formula = "norms of heads; a window and base 10000 on five of six layers; rope scaling on the others only",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 131072},
             {Key::kHeads, "attention.head_count", "num_attention_heads", 8},
             {Key::kKvHeads, "attention.head_count_kv", "num_key_value_heads", 4},
             {Key::kHeadSize, "attention.key_length", "head_dim", 256},
             {Key::kVocabulary, "vocab_size", "vocab_size", 262208},
             {Key::kType, "", "dtype"},
             {Key::kType, "", "torch_dtype"},
             {Key::kWindow, "attention.sliding_window", "sliding_window", 4096},
             {Key::kWindowPattern, "attention.sliding_window_pattern", "sliding_window_pattern", 6},
             {Key::kRopeBase, "rope.freq_base", "rope_theta", 1e6},
             {Key::kLocalRopeBase, "rope.freq_base_swa", "rope_local_base_freq", 10000},
             {Key::kQueryScalar, "", "query_pre_attn_scalar", 256},
             {Key::kAttentionSoftcap, "attn_logit_softcapping", "attn_logit_softcapping", 0},
             {Key::kLogitSoftcap, "final_logit_softcapping", "final_logit_softcapping", 0}},
    .tensors = kModules,
    .hfNormPlus = 1,
    .tiedHead = true,
    .plainLocalRope = true,
    .activation = Activation::kGeluTanh,
    .complete = complete,
    .layer = gemma3Layer,
};

} // namespace llcuda::models
