// SPDX-License-Identifier: Apache-2.0
// One file per architecture: what its GGUF files leave out, and the formula of its layer.
#pragma once

#include "compiler/models/gguf_keys.h"
#include "compiler/models/layer_builder.h"
#include "compiler/models/model_config.h"

namespace llcuda::models {

struct Architecture {
  std::string_view name; ///< general.architecture
  /// Fills in what the architecture has beyond the keys that all have; `config` holds those.
  Result<void> (*complete)(const GgufKeys& keys, ModelConfig& config);
  /// The layer that the builder is at: what becomes of the residual stream `x`.
  Rows (*layer)(LayerBuilder& b, Rows x);
};

/// nullptr for an architecture that has no file here.
const Architecture* findArchitecture(std::string_view name);
/// "llama, ..."
std::string architectureNames();

Result<void> completeLlama(const GgufKeys& keys, ModelConfig& config);
Rows llamaLayer(LayerBuilder& b, Rows x);

Result<void> completeGemma(const GgufKeys& keys, ModelConfig& config);

Result<void> completeGemma2(const GgufKeys& keys, ModelConfig& config);
Rows gemma2Layer(LayerBuilder& b, Rows x);

Result<void> completeGemma3(const GgufKeys& keys, ModelConfig& config);
Rows gemma3Layer(LayerBuilder& b, Rows x);

Result<void> completeQwen(const GgufKeys& keys, ModelConfig& config);
Rows qwen3Layer(LayerBuilder& b, Rows x);

Result<void> completeMistral3(const GgufKeys& keys, ModelConfig& config);

Result<void> completePhi3(const GgufKeys& keys, ModelConfig& config);

Result<void> completeSmollm3(const GgufKeys& keys, ModelConfig& config);

} // namespace llcuda::models
