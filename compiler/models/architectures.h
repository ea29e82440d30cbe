// SPDX-License-Identifier: Apache-2.0
// One function per architecture, each in a file of that name: the whole forward pass, op by op.
#pragma once

#include "compiler/models/model_builder.h"

namespace llcuda::models {

void buildLlama(ModelBuilder& model, const ModelConfig& config);

} // namespace llcuda::models
