// SPDX-License-Identifier: Apache-2.0
// The text part of Qwen 2 and 2.5 VL: the formula of Qwen 2. Positions of images have three axes, which turn sections
// of a head; those of text are equal on all axes, and the rope is the plain one.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

constinit const Family kQwen2Vl{
    .architecture = "qwen2vl",
    .gguf = {"qwen2vl"},
    .huggingFace = {"Qwen2VLForConditionalGeneration", "Qwen2_5_VLForConditionalGeneration"},
    .modelTypes = {"qwen2_vl", "qwen2_5_vl", "qwen2_vl_text", "qwen2_5_vl_text"},
    .models = "Qwen 2 VL, 2.5 VL (text)",
    .formula = "the same as qwen2",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 32768},
             {Key::kNormEps, "attention.layer_norm_rms_epsilon", "rms_norm_eps", 1e-5},
             {Key::kRopeBase, "rope.freq_base", "rope_theta", 1e6},
             {Key::kUseWindow, "", "use_sliding_window", false},
             {Key::kFirstWindowLayer, "", "max_window_layers", 80}},
    .tensors = kLlamaModules,
    .layer = llamaLayer,
};

} // namespace llcuda::models
