// SPDX-License-Identifier: Apache-2.0
// The configuration of a family, the same from every kind of file.
#pragma once

#include <functional>

#include "compiler/models/family.h"

namespace llcuda::models {

/// The rope of heads of a size in layers with a window (`local`) or without. `config` has everything but the ropes.
using ReadRope = std::function<Result<RopeConfig>(const ModelConfig& config, uint32_t headSize, bool local)>;

/// Reads everything by the keys of `family`; `vocabulary` has been read.
Result<ModelConfig> readConfig(const Family& family, const Keys& keys, uint32_t vocabulary, const ReadRope& readRope);

} // namespace llcuda::models
