// SPDX-License-Identifier: Apache-2.0
// Qwen 2 and 2.5 are the formula of llama.cpp with biases on queries, keys and values. Qwen 3 has none, and norms each
// query and key head before it turns.
#include "compiler/models/architectures.h"

namespace llcuda::models {

using mlir::Value;

Result<void> completeQwen(const GgufKeys&, ModelConfig& config) {
  config.pairOrder = PairOrder::kHalves;
  return {};
}

void buildQwen3(ModelBuilder& model, const ModelConfig& config) {
  Value x = model.embedding();
  for (uint32_t layer = 0; layer < config.layers; ++layer) {
    model.beginLayer(layer);
    const auto [query, key, value] = model.queryKeyValue(model.rmsNorm(x, "attn_norm"));
    const Value turnedQuery = model.turned(model.headNorm(query, "attn_q_norm"));
    const Value turnedKey = model.turned(model.headNorm(key, "attn_k_norm"));
    x = model.add(x, model.attentionOutput(model.attention(turnedQuery, turnedKey, value)));
    x = model.add(x, model.feedForward(model.rmsNorm(x, "ffn_norm")));
  }
  model.endLayers();
  model.head(x);
}

} // namespace llcuda::models
