// SPDX-License-Identifier: Apache-2.0
// Llama 1 to 3, and what is built like them: Mistral, SmolLM2, TinyLlama. Gemma 1, Qwen 2, Phi 3 and SmolLM3 have the
// same formula; they differ by numbers (activation, embedding scale, rope) and by what their files hold (biases, fused
// tensors), which the builder sees for itself.
//
//   x += output(attention(turned query, turned key, value))   of norm(x)
//   x += down(activation(gate) * up)                          of norm(x)
#include "compiler/models/architectures.h"

namespace llcuda::models {

using mlir::Value;

// The files' rows of queries and keys are in the order that turns adjacent pairs.
Result<void> completeLlama(const GgufKeys&, ModelConfig& config) {
  config.pairOrder = PairOrder::kAdjacent;
  if (config.rope.dimensions != config.headSize)
    return unsupported("llama turns whole heads of ", config.headSize, " elements, the file says rope.dimension_count ",
                       config.rope.dimensions);
  return {};
}

void buildLlama(ModelBuilder& model, const ModelConfig& config) {
  Value x = model.embedding();
  for (uint32_t layer = 0; layer < config.layers; ++layer) {
    model.beginLayer(layer);
    const auto [query, key, value] = model.queryKeyValue(model.rmsNorm(x, "attn_norm"));
    const Value attended = model.attention(model.turned(query), model.turned(key), value);
    x = model.add(x, model.attentionOutput(attended));
    x = model.add(x, model.feedForward(model.rmsNorm(x, "ffn_norm")));
  }
  model.endLayers();
  model.head(x);
}

} // namespace llcuda::models
