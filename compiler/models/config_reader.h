// SPDX-License-Identifier: Apache-2.0
// The configuration of a family, the same from every kind of file.
#pragma once

#include <functional>

#include "compiler/models/family.h"

namespace llcuda::models {

struct Ropes {
  RopeConfig full;  ///< of layers that attend to everything
  RopeConfig local; ///< of layers with a window
};

/// The ropes of heads of a size. `config` has everything but the ropes.
using ReadRopes = std::function<Result<Ropes>(const ModelConfig& config, uint32_t headSize)>;

/// Reads everything by the keys of `family`; `vocabulary` has been read.
Result<ModelConfig> readConfig(const Family& family, const Keys& keys, uint32_t vocabulary, const ReadRopes& readRopes);

} // namespace llcuda::models
