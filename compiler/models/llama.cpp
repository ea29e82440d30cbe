// SPDX-License-Identifier: Apache-2.0
// Llama 1 to 3, and what is built like them: Mistral, SmolLM2, TinyLlama. Gemma 1, Qwen 2, Phi 3 and SmolLM3 have the
// same formula; they differ by numbers (activation, embedding scale, rope) and by what their files hold (biases, fused
// tensors), which the builder sees for itself.
//
//   x += output(attention(rotated query, rotated key, value))   of norm(x)
//   x += down(activation(gate) * up)                          of norm(x)
#include "compiler/models/architectures.h"

namespace llcuda::models {

// The files' rows of queries and keys are in the order that turns adjacent pairs.
Result<void> completeLlama(const GgufKeys&, ModelConfig& config) {
  config.pairOrder = PairOrder::kAdjacent;
  if (config.rope.dimensions != config.headSize)
    return unsupported("llama turns whole heads of ", config.headSize, " elements, the file says rope.dimension_count ",
                       config.rope.dimensions);
  return {};
}

Rows llamaLayer(LayerBuilder& b, Rows x) {
  const auto [query, key, value] = b.queryKeyValue(b.rmsNorm(x, "attn_norm"));
  x = b.add(x, b.attentionOutput(b.attention(b.rotated(query), b.rotated(key), value)));
  return b.add(x, b.feedForward(b.rmsNorm(x, "ffn_norm")));
}

} // namespace llcuda::models
