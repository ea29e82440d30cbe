// SPDX-License-Identifier: Apache-2.0
// Qwen 2 and 2.5: the formula of llama with biases on queries, keys and values.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

constinit const Family kQwen2{
    .architecture = "qwen2",
    .gguf = {"qwen2"},
    .writtenAs = "qwen2",
    .huggingFace = {"Qwen2ForCausalLM"},
    .modelTypes = {"qwen2"},
    .models = "Qwen 2, 2.5",
    .formula = "halves of a head turn",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 32768},
             {Key::kUseWindow, "", "use_sliding_window", false},
             {Key::kFirstWindowLayer, "", "max_window_layers", 28}},
    .tensors = kLlamaModules,
    .layer = llamaLayer,
};

} // namespace llcuda::models
