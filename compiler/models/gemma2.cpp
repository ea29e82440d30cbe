// SPDX-License-Identifier: Apache-2.0
// Gemma 2: norms after attention and feed-forward as well as before them, capped scores and logits, a sliding window on
// every other layer.
#include "compiler/models/gemma.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static constexpr auto kModules = joined(kLinears, kSandwichNorms);

static Result<void> complete(const Keys& keys, ModelConfig& config) {
  return completeScaledGemma(keys, config, /*layersOf27B=*/46);
}

static Rows gemma2Layer(LayerBuilder& b, Rows x) {
  const auto [query, key, value] = b.queryKeyValue(b.rmsNorm(x, "attn_norm"));
  const Rows attended = b.attention(b.rotated(query), b.rotated(key), value);
  x = b.residual(x, b.rmsNorm(b.attentionOutput(attended), "post_attention_norm"));
  return b.residual(x, b.rmsNorm(b.feedForward(b.rmsNorm(x, "ffn_norm")), "post_ffw_norm"));
}

constinit const Family kGemma2{
    .architecture = "gemma2",
    .gguf = {"gemma2"},
    .writtenAs = "gemma2",
    .huggingFace = {"Gemma2ForCausalLM"},
    .modelTypes = {"gemma2"},
    .models = "Gemma 2",
    .formula = "norms after attention and feed-forward; scores capped at 50 and logits at 30 unless the file says "
               "otherwise; a window of 4096 on layers 0, 2, 4, ...",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 8192},
             {Key::kHeadSize, "attention.key_length", "head_dim", 256},
             {Key::kType, "", "dtype"},
             {Key::kType, "", "torch_dtype"},
             {Key::kWindow, "attention.sliding_window", "sliding_window", 4096},
             {Key::kWindowPattern, "attention.sliding_window_pattern", "sliding_window_pattern", 2},
             {Key::kLocalRopeBase, "rope.freq_base_swa", ""},
             {Key::kQueryScalar, "", "query_pre_attn_scalar", 256},
             {Key::kAttentionSoftcap, "attn_logit_softcapping", "attn_logit_softcapping", 50},
             {Key::kLogitSoftcap, "final_logit_softcapping", "final_logit_softcapping", 30}},
    .tensors = kModules,
    .hfNormPlus = 1,
    .tiedHead = true,
    .activation = Activation::kGeluTanh,
    .complete = complete,
    .layer = gemma2Layer,
};

} // namespace llcuda::models
