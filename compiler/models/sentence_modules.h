// SPDX-License-Identifier: Apache-2.0
// What a folder of sentence-transformers puts behind its model: modules.json, and the configurations that it names.
#pragma once

#include <string>

#include "compiler/models/model_config.h"
#include "runtime/base/result.h"

namespace llcuda::models {

/// Which rows of a text the folder's pooling module takes; kUnset for a folder without modules.json or without such a
/// module. A normalisation changes nothing, as every embedding has length 1, and neither does the LogitScore of a model
/// that ranks texts by its logits; a module of another kind is kUnsupported by its name.
Result<Pooling> readSentencePooling(const std::string& folder);

} // namespace llcuda::models
