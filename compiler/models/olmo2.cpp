// SPDX-License-Identifier: Apache-2.0
// OLMo 2 and 3: no norms before attention and feed-forward but after them, and norms of whole rows of queries and keys.
// As GGUF files both are olmo2's, those with a window are OLMo 3.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static constexpr auto kModules = joined(kLinears, kPostNorms, kHeadNorms);

static Rows olmo2Layer(LayerBuilder& b, Rows x) {
  const auto [query, key, value] = b.queryKeyValue(x);
  const Rows rotatedQuery = b.rotated(b.rowNorm(query, "attn_q_norm"));
  const Rows rotatedKey = b.rotated(b.rowNorm(key, "attn_k_norm"));
  const Rows attended = b.attention(rotatedQuery, rotatedKey, value);
  x = b.residual(x, b.rmsNorm(b.attentionOutput(attended), "post_attention_norm"));
  return b.residual(x, b.rmsNorm(b.feedForward(x), "post_ffw_norm"));
}

constinit const Family kOlmo2{
    .architecture = "olmo2",
    .gguf = {"olmo2"},
    .huggingFace = {"Olmo2ForCausalLM"},
    .modelTypes = {"olmo2"},
    .models = "OLMo 2; OLMo 3 as GGUF files",
    .formula = "norms after attention and feed-forward, none before; norms of whole rows of queries and keys; with a "
               "window three of four layers have it, and rope scaling is for the others",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 2048},
             {Key::kNormEps, "attention.layer_norm_rms_epsilon", "rms_norm_eps", 1e-5},
             {Key::kWindow, "attention.sliding_window", "", 0},
             {Key::kWindowPattern, "attention.sliding_window_pattern", "", 4},
             {Key::kLocalRopeBase, "rope.freq_base_swa", ""}},
    .tensors = kModules,
    .plainLocalRope = true,
    .layer = olmo2Layer,
};

constinit const Family kOlmo3{
    .architecture = "olmo2",
    .huggingFace = {"Olmo3ForCausalLM"},
    .modelTypes = {"olmo3"},
    .models = "OLMo 3",
    .formula = "the same; a window of 4096 on three of four layers of a `config.json` that does not say",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 2048},
             {Key::kNormEps, "attention.layer_norm_rms_epsilon", "rms_norm_eps", 1e-5},
             {Key::kRopeBase, "rope.freq_base", "rope_theta", 5e5},
             {Key::kWindow, "attention.sliding_window", "sliding_window", 4096},
             {Key::kWindowPattern, "attention.sliding_window_pattern", "sliding_window_pattern", 4}},
    .tensors = kModules,
    .plainLocalRope = true,
    .layer = olmo2Layer,
};

} // namespace llcuda::models
