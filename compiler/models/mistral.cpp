// SPDX-License-Identifier: Apache-2.0
// Mistral 7B and what is built like it. As GGUF files they are llama's.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

constinit const Family kMistral{
    .architecture = "llama",
    .writtenAs = "llama",
    .huggingFace = {"MistralForCausalLM"},
    .modelTypes = {"mistral"},
    .models = "Mistral",
    .formula = "the same; a window of 4096 on all layers of a `config.json` that does not say",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 131072},
             {Key::kKvHeads, "attention.head_count_kv", "num_key_value_heads", 8},
             {Key::kWindow, "attention.sliding_window", "sliding_window", 4096}},
    .tensors = kLlamaModules,
    .layer = llamaLayer,
};

} // namespace llcuda::models
