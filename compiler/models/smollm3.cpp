// SPDX-License-Identifier: Apache-2.0
// SmolLM3: the formula of llama.cpp, whose every fourth layer does not turn queries and keys.
#include "compiler/models/architectures.h"

namespace llcuda::models {

Result<void> completeSmollm3(const GgufKeys& keys, ModelConfig& config) {
  LLCUDA_RETURN_IF_ERROR(completeLlama(keys, config));
  config.unturnedLayers.resize(config.layers);
  for (uint32_t layer = 3; layer < config.layers; layer += 4) config.unturnedLayers[layer] = true;
  return {};
}

} // namespace llcuda::models
