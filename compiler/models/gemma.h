// SPDX-License-Identifier: Apache-2.0
// What the records of Gemma share.
#pragma once

#include "compiler/models/family_list.h"

namespace llcuda::models {

/// Embeddings times the root of their width, rounded as the file's type says.
Result<void> completeGemma(const Keys& keys, ModelConfig& config);
/// The same, and the scale of scores. GGUF files leave it out although the heads of the 27B model, which has
/// `layersOf27B` layers, are smaller than embedding / heads says.
Result<void> completeScaledGemma(const Keys& keys, ModelConfig& config, uint32_t layersOf27B);

/// The layer of Gemma 3.
Rows gemma3Layer(LayerBuilder& b, Rows x);

} // namespace llcuda::models
