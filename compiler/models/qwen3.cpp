// SPDX-License-Identifier: Apache-2.0
// Qwen 3: no biases, and a norm of each query and key head before it is rotated.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static constexpr auto kModules = joined(kLlamaModules, kHeadNorms);

Rows qwen3Layer(LayerBuilder& b, Rows x) {
  const auto [query, key, value] = b.queryKeyValue(b.rmsNorm(x, "attn_norm"));
  const Rows rotatedQuery = b.rotated(b.headNorm(query, "attn_q_norm"));
  const Rows rotatedKey = b.rotated(b.headNorm(key, "attn_k_norm"));
  x = b.residual(x, b.attentionOutput(b.attention(rotatedQuery, rotatedKey, value)));
  return b.residual(x, b.feedForward(b.rmsNorm(x, "ffn_norm")));
}

constinit const Family kQwen3{
    .architecture = "qwen3",
    .gguf = {"qwen3"},
    .writtenAs = "qwen3",
    .huggingFace = {"Qwen3ForCausalLM", "Qwen3Model"},
    .modelTypes = {"qwen3"},
    .models = "Qwen 3, Qwen 3 Embedding",
    .formula = "halves of a head turn; a norm of each query and key head",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 32768},
             {Key::kHeadSize, "attention.key_length", "head_dim", 128},
             {Key::kUseWindow, "", "use_sliding_window", false},
             {Key::kFirstWindowLayer, "", "max_window_layers", 28}},
    .tensors = kModules,
    .layer = qwen3Layer,
};

} // namespace llcuda::models
