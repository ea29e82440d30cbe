// SPDX-License-Identifier: Apache-2.0
// The experts of a model's layers, by the keys of its file.
#pragma once

#include "compiler/models/keys.h"
#include "compiler/models/model_config.h"

namespace llcuda::models {

/// Sets ExpertsConfig of every layer. A file whose layers are not all alike is refused.
Result<void> readExperts(const Keys& keys, std::vector<LayerConfig>& layers);

} // namespace llcuda::models
