// SPDX-License-Identifier: Apache-2.0
// Mistral 3 and Ministral 3: the formula of llama.cpp with yarn. Past the original context attention grows with the
// logarithm of the position, which is not computed here: the context that is compiled for ends before.
#include "compiler/models/architectures.h"

namespace llcuda::models {

Result<void> completeMistral3(const GgufKeys& keys, ModelConfig& config) {
  LLCUDA_RETURN_IF_ERROR(completeLlama(keys, config));
  LLCUDA_ASSIGN_OR_RETURN(const double temperature, keys.number("attention.temperature_scale", 0));
  if (temperature != 0)
    config.contextLimit = config.rope.originalContext;
  return {};
}

} // namespace llcuda::models
