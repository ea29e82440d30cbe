// SPDX-License-Identifier: Apache-2.0
// EXAONE 4: norms after attention and feed-forward and none before, norms of query and key heads. Where some layers
// have a window the others do not turn. llcuda does so for a GGUF file of any size that has a window, as transformers
// does; llama.cpp for the one of 64 layers only.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static constexpr auto kModules = joined(kLinears, kPostNorms, kHeadNorms);

static Result<void> complete(const Keys& keys, ModelConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(const double window, keys.notNegative(Key::kWindow));
  if (keys.isNull(Key::kWindow) || window == 0)
    return {};
  for (LayerConfig& layer : config.layers)
    if (layer.window == 0)
      layer.rope = LayerConfig::kNoRope;
  return {};
}

static Rows exaone4Layer(LayerBuilder& b, Rows x) {
  const auto [query, key, value] = b.queryKeyValue(x);
  const Rows rotatedQuery = b.rotated(b.headNorm(query, "attn_q_norm"));
  const Rows rotatedKey = b.rotated(b.headNorm(key, "attn_k_norm"));
  const Rows attended = b.attention(rotatedQuery, rotatedKey, value);
  x = b.residual(x, b.rmsNorm(b.attentionOutput(attended), "post_attention_norm"));
  return b.residual(x, b.rmsNorm(b.feedForward(x), "post_ffw_norm"));
}

constinit const Family kExaone4{
    .architecture = "exaone4",
    .gguf = {"exaone4"},
    .huggingFace = {"Exaone4ForCausalLM"},
    .modelTypes = {"exaone4"},
    .models = "EXAONE 4.0",
    .formula = "norms after attention and feed-forward, none before; a norm of each query and key head; where three of "
               "four layers have a window the fourth does not turn",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 2048},
             {Key::kNormEps, "attention.layer_norm_rms_epsilon", "rms_norm_eps", 1e-5},
             {Key::kWindow, "attention.sliding_window", "", 0},
             {Key::kWindow, "", "sliding_window", 4096},
             {Key::kWindowPattern, "attention.sliding_window_pattern", "sliding_window_pattern", 4}},
    .tensors = kModules,
    .complete = complete,
    .layer = exaone4Layer,
};

} // namespace llcuda::models
