// SPDX-License-Identifier: Apache-2.0
// Granite 3 and the dense ones of 4: the formula of llama with four scales, of embeddings, scores, what is added to the
// residual stream, and logits.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

constinit const Family kGranite{
    .architecture = "granite",
    .gguf = {"granite"},
    .huggingFace = {"GraniteForCausalLM"},
    .modelTypes = {"granite"},
    .models = "Granite 3, and 4 without experts and states",
    .formula = "the same as llama; embeddings, scores, residual sums and logits have scales; "
               "`rope.scaling.finetuned` false: no layer turns",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 2048},
             {Key::kEmbeddingScale, "embedding_scale", "embedding_multiplier", 1},
             {Key::kResidualScale, "residual_scale", "residual_multiplier", 1},
             {Key::kAttentionScale, "attention.scale", "attention_multiplier", 1},
             {Key::kLogitDivisor, "logit_scale", "logits_scaling", 1},
             {Key::kRopeUsed, "rope.scaling.finetuned", "", true}},
    .tensors = kLlamaModules,
    .ggufPairs = PairOrder::kAdjacent,
    .layer = llamaLayer,
};

} // namespace llcuda::models
