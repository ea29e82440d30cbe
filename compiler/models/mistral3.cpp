// SPDX-License-Identifier: Apache-2.0
// Mistral 3 and Ministral 3: the formula of llama with yarn. Past the original context attention grows with the
// logarithm of the position, which is not computed here: the context that is compiled for ends before.
#include "compiler/models/family_list.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

static Result<void> complete(const Keys& keys, ModelConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(const double temperature, keys.number(Key::kTemperature));
  if (temperature != 0)
    config.contextLimit = config.ropes.front().originalContext;
  return {};
}

constinit const Family kMistral3{
    .architecture = "mistral3",
    .gguf = {"mistral3"},
    .huggingFace = {"Mistral3ForConditionalGeneration", "Ministral3ForCausalLM"},
    .modelTypes = {"mistral3", "ministral3"},
    .models = "Mistral 3, Ministral 3",
    .formula = "the same as llama, up to the original context, past which attention changes with the position",
    .keys = {{Key::kTemperature, "attention.temperature_scale", "rope_parameters.llama_4_scaling_beta", 0}},
    .tensors = kLlamaModules,
    .ggufPairs = PairOrder::kAdjacent,
    .complete = complete,
    .layer = llamaLayer,
};

} // namespace llcuda::models
