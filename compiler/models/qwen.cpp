// SPDX-License-Identifier: Apache-2.0
// Qwen 2 and 2.5 are the formula of llama.cpp with biases on queries, keys and values. Qwen 3 has none, and norms each
// query and key head before it turns.
#include "compiler/models/architectures.h"

namespace llcuda::models {

Result<void> completeQwen(const GgufKeys&, ModelConfig& config) {
  config.pairOrder = PairOrder::kHalves;
  return {};
}

Rows qwen3Layer(LayerBuilder& b, Rows x) {
  const auto [query, key, value] = b.queryKeyValue(b.rmsNorm(x, "attn_norm"));
  const Rows rotatedQuery = b.rotated(b.headNorm(query, "attn_q_norm"));
  const Rows rotatedKey = b.rotated(b.headNorm(key, "attn_k_norm"));
  x = b.add(x, b.attentionOutput(b.attention(rotatedQuery, rotatedKey, value)));
  return b.add(x, b.feedForward(b.rmsNorm(x, "ffn_norm")));
}

} // namespace llcuda::models
