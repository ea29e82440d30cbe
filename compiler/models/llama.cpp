// SPDX-License-Identifier: Apache-2.0
// Llama 1 to 3, and what is built like them: Mistral, SmolLM2, TinyLlama.
//
// Pre-norm residual layers; the file's rows of queries and keys are in the order that turns adjacent pairs.
#include "compiler/models/architectures.h"

namespace llcuda::models {

using mlir::Value;

void buildLlama(ModelBuilder& model, const ModelConfig& config) {
  const uint64_t queryColumns = uint64_t(config.heads) * config.headSize;
  const uint64_t kvColumns = uint64_t(config.kvHeads) * config.headSize;

  const Value embeddings = model.weight("token_embd.weight", config.vocabulary, config.embedding);
  const Value table = model.ropeTable();
  Value x = model.embedding(embeddings);
  for (uint32_t layer = 0; layer < config.layers; ++layer) {
    model.setLayer(layer);
    const std::string block = "blk." + std::to_string(layer) + ".";

    Value normed = model.rmsNorm(x, block + "attn_norm.weight");
    Value query = model.linear(normed, block + "attn_q", queryColumns, config.embedding);
    Value key = model.linear(normed, block + "attn_k", kvColumns, config.embedding);
    Value value = model.linear(normed, block + "attn_v", kvColumns, config.embedding);
    Value attended = model.attention(model.rope(query, table), model.rope(key, table), value);
    x = model.add(x, model.linear(attended, block + "attn_output", config.embedding, queryColumns));

    normed = model.rmsNorm(x, block + "ffn_norm.weight");
    Value gate = model.linear(normed, block + "ffn_gate", config.feedForward, config.embedding);
    Value up = model.linear(normed, block + "ffn_up", config.feedForward, config.embedding);
    x = model.add(x, model.linear(model.glu(gate, up), block + "ffn_down", config.embedding, config.feedForward));
  }
  model.setLayer(-1);
  x = model.rmsNorm(x, "output_norm.weight");
  const Value head =
      model.has("output.weight") ? model.weight("output.weight", config.vocabulary, config.embedding) : embeddings;
  model.headAndSample(x, head);
}

} // namespace llcuda::models
