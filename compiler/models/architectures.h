// SPDX-License-Identifier: Apache-2.0
// One function per architecture, each in a file of that name: the whole forward pass, op by op.
#pragma once

#include "compiler/models/model_builder.h"

namespace llcuda::models {

struct Architecture {
  std::string_view name; ///< general.architecture
  void (*build)(ModelBuilder& model, const ModelConfig& config);
};

/// nullptr for an architecture that has no file here.
const Architecture* findArchitecture(std::string_view name);
/// "llama, ..."
std::string architectureNames();

void buildLlama(ModelBuilder& model, const ModelConfig& config);

} // namespace llcuda::models
