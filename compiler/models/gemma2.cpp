// SPDX-License-Identifier: Apache-2.0
// Gemma 2: norms after attention and feed-forward as well as before them, capped scores and logits, a sliding window on
// every other layer.
#include <cmath>

#include "compiler/models/architectures.h"

namespace llcuda::models {

// The scale of the 27B model is not in its files: its heads are smaller than embedding / heads says.
constexpr uint32_t kLayersOf27B = 46;

Result<void> completeGemma2(const GgufKeys& keys, ModelConfig& config) {
  LLCUDA_RETURN_IF_ERROR(completeGemma(keys, config));
  if (config.layers == kLayersOf27B)
    config.attentionScale = 1 / std::sqrt(static_cast<double>(config.embedding / config.heads));
  LLCUDA_ASSIGN_OR_RETURN(config.attentionSoftcap, keys.positive("attn_logit_softcapping", 50));
  LLCUDA_ASSIGN_OR_RETURN(config.logitSoftcap, keys.positive("final_logit_softcapping", 30));
  LLCUDA_ASSIGN_OR_RETURN(config.window, keys.optional("attention.sliding_window", 4096, {1, UINT32_MAX}));
  LLCUDA_ASSIGN_OR_RETURN(config.localLayers, keys.pattern("attention.sliding_window_pattern", 2, config.layers));
  LLCUDA_ASSIGN_OR_RETURN(config.localRope.base, keys.positive("rope.freq_base_swa", config.rope.base));
  return {};
}

Rows gemma2Layer(LayerBuilder& b, Rows x) {
  const auto [query, key, value] = b.queryKeyValue(b.rmsNorm(x, "attn_norm"));
  const Rows attended = b.attention(b.rotated(query), b.rotated(key), value);
  x = b.add(x, b.rmsNorm(b.attentionOutput(attended), "post_attention_norm"));
  return b.add(x, b.rmsNorm(b.feedForward(b.rmsNorm(x, "ffn_norm")), "post_ffw_norm"));
}

} // namespace llcuda::models
