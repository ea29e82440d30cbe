// SPDX-License-Identifier: Apache-2.0
// ERNIE 4.5 without experts, and the text part of PaddleOCR-VL, which is one whose rope turns halves.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {
namespace {

constexpr FamilyKeys kKeys = {{Key::kContext, "context_length", "max_position_embeddings", 131072},
                              {Key::kKvHeads, "attention.head_count_kv", "num_key_value_heads", 2},
                              {Key::kHeadSize, "attention.key_length", "head_dim", 128},
                              {Key::kNormEps, "attention.layer_norm_rms_epsilon", "rms_norm_eps", 1e-5},
                              {Key::kRopeBase, "rope.freq_base", "rope_theta", 5e5}};

} // namespace

constinit const Family kErnie45{
    .architecture = "ernie4_5",
    .gguf = {"ernie4_5"},
    .huggingFace = {"Ernie4_5ForCausalLM", "Ernie4_5_ForCausalLM"},
    .modelTypes = {"ernie4_5"},
    .models = "ERNIE 4.5 without experts",
    .formula = "the same as llama; files of both kinds have the order that turns neighbours",
    .keys = kKeys,
    .tensors = kLlamaModules,
    .ggufPairs = PairOrder::kAdjacent,
    .hfPairs = PairOrder::kAdjacent,
    .tiedHead = true,
    .layer = llamaLayer,
};

constinit const Family kPaddleOcr{
    .architecture = "paddleocr",
    .gguf = {"paddleocr"},
    .huggingFace = {"PaddleOCRVLForConditionalGeneration"},
    .modelTypes = {"paddleocr_vl", "paddleocr_vl_text"},
    .models = "PaddleOCR-VL (text)",
    .formula = "halves of a head turn",
    .keys = kKeys,
    .tensors = kLlamaModules,
    .tiedHead = true,
    .layer = llamaLayer,
};

} // namespace llcuda::models
