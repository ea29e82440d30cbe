// SPDX-License-Identifier: Apache-2.0
// What a folder of sentence-transformers puts behind its model: modules.json, and the configurations that it names.
#pragma once

#include <string>
#include <vector>

#include "compiler/models/model_config.h"
#include "runtime/base/result.h"

namespace llcuda::models {

/// A linear of the pooled row. It may as well come before the pooling, which is linear itself.
struct SentenceLinear {
  std::string folder; ///< holds its model.safetensors
  uint32_t inputs = 0, outputs = 0;
};

struct SentenceModules {
  Pooling pooling = Pooling::kUnset; ///< which rows of a text are taken; kUnset where no module says it
  std::vector<SentenceLinear> linears;
};

/// What stands in the folder's modules.json; nothing without one. A normalisation changes nothing, as every embedding
/// has length 1, and neither does the LogitScore of a model that ranks texts by its logits; a module of another kind is
/// kUnsupported by its name, and so is a Dense with an activation.
Result<SentenceModules> readSentenceModules(const std::string& folder);

} // namespace llcuda::models
