// SPDX-License-Identifier: Apache-2.0
// Gemma 1: the formula of llama.cpp with scaled embeddings and a GELU.
#include "compiler/models/architectures.h"

#include <cmath>

namespace llcuda::models {

Result<void> completeGemma(const GgufKeys&, ModelConfig& config) {
  config.pairOrder = PairOrder::kHalves;
  config.activation = Activation::kGeluTanh;
  config.embeddingScale = std::sqrt(static_cast<float>(config.embedding));
  return {};
}

} // namespace llcuda::models
