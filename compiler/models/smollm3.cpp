// SPDX-License-Identifier: Apache-2.0
// SmolLM3: the formula of llama, whose every fourth layer does not rotate queries and keys.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

constinit const Family kSmolLm3{
    .architecture = "smollm3",
    .gguf = {"smollm3"},
    .writtenAs = "smollm3",
    .huggingFace = {"SmolLM3ForCausalLM"},
    .modelTypes = {"smollm3"},
    .models = "SmolLM3",
    .formula = "the same as llama; every fourth layer does not turn",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 32768},
             {Key::kUseWindow, "", "use_sliding_window", false},
             {Key::kFirstWindowLayer, "", "max_window_layers", kMaxLayers},
             {Key::kRotatedLayers, "", "no_rope_layers"}, // despite its name 1 for layers with a rope
             {Key::kNopeInterval, "", "no_rope_layer_interval", 4},
             {Key::kRopeBase, "rope.freq_base", "rope_theta", 2e6}},
    .tensors = kLlamaModules,
    .ggufPairs = PairOrder::kAdjacent,
    .tiedHead = true,
    .layer = llamaLayer,
};

} // namespace llcuda::models
