// SPDX-License-Identifier: Apache-2.0
// Llama 1 to 3, and what its files are made of: SmolLM2, TinyLlama, Mistral as GGUF files.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

Rows llamaLayer(LayerBuilder& b, Rows x) {
  const auto [query, key, value] = b.queryKeyValue(b.rmsNorm(x, "attn_norm"));
  x = b.residual(x, b.attentionOutput(b.attention(b.rotatedQuery(query), b.rotated(key), value)));
  return b.residual(x, b.feedForward(b.rmsNorm(x, "ffn_norm")));
}

constinit const Family kLlama{
    .architecture = "llama",
    .gguf = {"llama"},
    .writtenAs = "llama",
    .huggingFace = {"LlamaForCausalLM"},
    .modelTypes = {"llama"},
    .models = "Llama 1 to 3.x, SmolLM2, TinyLlama; Mistral as GGUF files",
    .formula = "rows of queries and keys of GGUF files in the order that turns neighbours",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 2048}},
    .tensors = kLlamaModules,
    .ggufPairs = PairOrder::kAdjacent,
    .layer = llamaLayer,
};

} // namespace llcuda::models
