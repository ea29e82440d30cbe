// SPDX-License-Identifier: Apache-2.0
// One file per architecture: what its GGUF files leave out, and the forward pass, op by op.
#pragma once

#include "compiler/models/gguf_keys.h"
#include "compiler/models/model_builder.h"

namespace llcuda::models {

struct Architecture {
  std::string_view name; ///< general.architecture
  /// Fills in what the architecture has beyond the keys that all have; `config` holds those.
  Result<void> (*complete)(const GgufKeys& keys, ModelConfig& config);
  /// Takes everything from `config`, which another kind of file may have filled.
  void (*build)(ModelBuilder& model, const ModelConfig& config);
};

/// nullptr for an architecture that has no file here.
const Architecture* findArchitecture(std::string_view name);
/// "llama, ..."
std::string architectureNames();

Result<void> completeLlama(const GgufKeys& keys, ModelConfig& config);
void buildLlama(ModelBuilder& model, const ModelConfig& config);

Result<void> completeGemma(const GgufKeys& keys, ModelConfig& config);

Result<void> completeGemma2(const GgufKeys& keys, ModelConfig& config);
void buildGemma2(ModelBuilder& model, const ModelConfig& config);

Result<void> completeGemma3(const GgufKeys& keys, ModelConfig& config);
void buildGemma3(ModelBuilder& model, const ModelConfig& config);

Result<void> completeQwen(const GgufKeys& keys, ModelConfig& config);
void buildQwen3(ModelBuilder& model, const ModelConfig& config);

Result<void> completeMistral3(const GgufKeys& keys, ModelConfig& config);

Result<void> completePhi3(const GgufKeys& keys, ModelConfig& config);

Result<void> completeSmollm3(const GgufKeys& keys, ModelConfig& config);

} // namespace llcuda::models
