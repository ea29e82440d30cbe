// SPDX-License-Identifier: Apache-2.0
// Gemma 3 (text): the layer of Gemma 2 without caps on scores, with norms of each query and key head, and five layers
// with a sliding window and a rope of their own for each that attends to everything.
#include <cmath>

#include "compiler/models/architectures.h"

namespace llcuda::models {

// The scale of the 27B model is not in its files: its heads are smaller than embedding / heads says.
constexpr uint32_t kLayersOf27B = 62;

Result<void> completeGemma3(const GgufKeys& keys, ModelConfig& config) {
  LLCUDA_RETURN_IF_ERROR(completeGemma(keys, config));
  if (config.layers == kLayersOf27B)
    config.attentionScale = 1 / std::sqrt(static_cast<double>(config.embedding / config.heads));
  LLCUDA_ASSIGN_OR_RETURN(config.logitSoftcap, keys.number("final_logit_softcapping", 0));
  if (config.logitSoftcap < 0)
    return badInput("final_logit_softcapping is ", config.logitSoftcap, ", it must not be negative");
  LLCUDA_ASSIGN_OR_RETURN(config.window, keys.optional("attention.sliding_window", 0, {0, UINT32_MAX}));
  if (config.window > 0) {
    LLCUDA_ASSIGN_OR_RETURN(config.localLayers, keys.pattern("attention.sliding_window_pattern", 6, config.layers));
  }
  // Scaling is for the layers that see the whole context.
  config.localRope = RopeConfig{.dimensions = config.rope.dimensions};
  LLCUDA_ASSIGN_OR_RETURN(config.localRope.base, keys.positive("rope.freq_base_swa", 10000));
  return {};
}

Rows gemma3Layer(LayerBuilder& b, Rows x) {
  const auto [query, key, value] = b.queryKeyValue(b.rmsNorm(x, "attn_norm"));
  const Rows rotatedQuery = b.rotated(b.headNorm(query, "attn_q_norm"));
  const Rows rotatedKey = b.rotated(b.headNorm(key, "attn_k_norm"));
  const Rows attended = b.attention(rotatedQuery, rotatedKey, value);
  x = b.add(x, b.rmsNorm(b.attentionOutput(attended), "post_attention_norm"));
  return b.add(x, b.rmsNorm(b.feedForward(b.rmsNorm(x, "ffn_norm")), "post_ffw_norm"));
}

} // namespace llcuda::models
