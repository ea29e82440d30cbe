// SPDX-License-Identifier: Apache-2.0
// The text part of Qwen 3 VL: the formula of Qwen 3. The rope is the plain one for text, as in Qwen 2 VL, and what the
// first layers add of an image is added where its tokens stand.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static constexpr auto kModules = joined(kLlamaModules, kHeadNorms);

constinit const Family kQwen3Vl{
    .architecture = "qwen3vl",
    .gguf = {"qwen3vl"},
    .huggingFace = {"Qwen3VLForConditionalGeneration"},
    .modelTypes = {"qwen3_vl", "qwen3_vl_text"},
    .models = "Qwen 3 VL (text)",
    .formula = "the same as qwen3",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 128000},
             {Key::kKvHeads, "attention.head_count_kv", "num_key_value_heads", 32},
             {Key::kHeadSize, "attention.key_length", "head_dim", 128},
             {Key::kRopeBase, "rope.freq_base", "rope_theta", 5e5}},
    .tensors = kModules,
    .layer = qwen3Layer,
};

} // namespace llcuda::models
