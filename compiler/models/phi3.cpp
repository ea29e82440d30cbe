// SPDX-License-Identifier: Apache-2.0
// Phi 3 and 4: the formula of llama.cpp over fused tensors (query, key and value; gate and up), with longrope.
#include "compiler/models/architectures.h"

namespace llcuda::models {

// `attention.sliding_window` is left aside as llama.cpp does: its converters write it for models that were not trained
// with a window.
Result<void> completePhi3(const GgufKeys&, ModelConfig& config) {
  config.pairOrder = PairOrder::kHalves;
  return {};
}

} // namespace llcuda::models
