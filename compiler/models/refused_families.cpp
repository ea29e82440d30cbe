// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/refused_families.h"

namespace llcuda::models {
namespace {

constexpr std::string_view kExperts = "mixtures of experts other than those of Qwen 3 MoE, Granite 3 and gpt-oss";
constexpr std::string_view kStates = "states of a Mamba mixer";

constexpr RefusedFamily kRefused[] = {
    {"Gemma 3n",
     {"gemma3n"},
     {"Gemma3nForCausalLM", "Gemma3nForConditionalGeneration"},
     "several residual streams (AltUp) and embeddings of each layer"},
    {"Qwen 3.5 MoE, Qwen 3 Next",
     {"qwen35moe", "qwen3next"},
     {"Qwen3_5MoeForCausalLM", "Qwen3_5MoeForConditionalGeneration", "Qwen3NextForCausalLM"},
     "mixtures of experts beside one that all rows take"},
    {"Qwen 2 MoE, Qwen 3 VL MoE",
     {"qwen2moe", "qwen3vlmoe"},
     {"Qwen2MoeForCausalLM", "Qwen3VLMoeForConditionalGeneration"},
     kExperts},
    {"Mixtral", {}, {"MixtralForCausalLM"}, kExperts},
    {"LFM 2 MoE", {"lfm2moe"}, {"Lfm2MoeForCausalLM"}, kExperts},
    {"Granite MoE with a shared expert", {}, {"GraniteMoeSharedForCausalLM"}, kExperts},
    {"Granite 4 with states", {"granitehybrid"}, {}, kStates},
    {"Falcon H1", {"falcon-h1"}, {"FalconH1ForCausalLM"}, kStates},
    {"Nemotron H", {"nemotron_h", "nemotron_h_moe"}, {"NemotronHForCausalLM"}, kStates},
    {"Mamba", {"mamba", "mamba2"}, {"MambaForCausalLM", "Mamba2ForCausalLM"}, kStates},
    {"ERNIE 4.5 MoE",
     {"ernie4_5-moe"},
     {"Ernie4_5_MoeForCausalLM", "Ernie4_5_VLMoeForConditionalGeneration"},
     kExperts},
    {"DeepSeek 2 and 3",
     {"deepseek2"},
     {"DeepseekV2ForCausalLM", "DeepseekV3ForCausalLM"},
     "mixtures of experts and latent attention"},
    {"GLM 4", {"glm4"}, {"Glm4ForCausalLM"}, "ropes that turn neighbours in a part of each head"},
    {"GLM 4 MoE", {"glm4moe"}, {"Glm4MoeForCausalLM"}, kExperts},
    {"Command R, Aya",
     {"command-r", "cohere2"},
     {"CohereForCausalLM", "Cohere2ForCausalLM"},
     "attention and feed-forward of one norm"},
    {"Nomic BERT, Jina BERT",
     {"nomic-bert", "nomic-bert-moe", "jina-bert-v2"},
     {"NomicBertModel", "JinaBertModel"},
     "a gated feed-forward behind norms about the mean, and ropes or slopes in BERT's layer"},
};

} // namespace

std::span<const RefusedFamily> refusedFamilies() {
  return kRefused;
}

} // namespace llcuda::models
