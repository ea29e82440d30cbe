// SPDX-License-Identifier: Apache-2.0
// Phi 3 and 4: the formula of llama over fused tensors (query, key and value; gate and up), with longrope and, in the
// models of 4096 positions, a window on all layers. llcuda attends within the window of a GGUF file too, as the models
// were trained and as transformers does; llama.cpp leaves it aside, with a warning.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static constexpr auto kModules = joined(kLlamaModules, kFusedLinears);

constinit const Family kPhi3{
    .architecture = "phi3",
    .gguf = {"phi3"},
    .writtenAs = "phi3",
    .huggingFace = {"Phi3ForCausalLM"},
    .modelTypes = {"phi3"},
    .models = "Phi 3, 3.5, 4",
    .formula =
        "tensors of several weights (`attn_qkv`, `ffn_up`); a part of each head turns; the window of the file on "
        "all layers, where llama.cpp leaves it aside",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 4096},
             {Key::kNormEps, "attention.layer_norm_rms_epsilon", "rms_norm_eps", 1e-5}},
    .tensors = kModules,
    .yarnIsLongRope = true,
    .layer = llamaLayer,
};

} // namespace llcuda::models
