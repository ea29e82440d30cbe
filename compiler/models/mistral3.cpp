// SPDX-License-Identifier: Apache-2.0
// Mistral 3 and Ministral 3: the formula of llama with yarn. Past the original context queries grow with the logarithm
// of the position.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static Result<void> complete(const Keys& keys, ModelConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(const double temperature, keys.notNegative(Key::kTemperature));
  if (temperature == 0)
    return {};
  const uint32_t original = config.ropes.front().originalContext;
  config.queryGrowth = {temperature, static_cast<double>(original == 0 ? config.trainedContext : original)};
  return {};
}

constinit const Family kMistral3{
    .architecture = "mistral3",
    .gguf = {"mistral3"},
    .huggingFace = {"Mistral3ForConditionalGeneration", "Ministral3ForCausalLM"},
    .modelTypes = {"mistral3", "ministral3"},
    .models = "Mistral 3, Ministral 3",
    .formula = "the same as llama; queries grow with the position past the original context",
    .keys = {{Key::kTemperature, "attention.temperature_scale", "rope_parameters.llama_4_scaling_beta", 0},
             {Key::kTemperature, "", "rope_scaling.llama_4_scaling_beta"}},
    .tensors = kLlamaModules,
    .ggufPairs = PairOrder::kAdjacent,
    .complete = complete,
    .layer = llamaLayer,
};

} // namespace llcuda::models
