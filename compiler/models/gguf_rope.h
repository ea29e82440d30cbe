// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compiler/ingest/checkpoint.h"
#include "compiler/models/gguf_keys.h"
#include "compiler/models/model_config.h"

namespace llcuda::models {

/// Tensors that say how positions turn heads; they are part of no layer.
inline constexpr const char* kRopeDivisors = "rope_freqs.weight";
inline constexpr const char* kRopeShortFactors = "rope_factors_short.weight";
inline constexpr const char* kRopeLongFactors = "rope_factors_long.weight";

/// Reads the keys `rope.*` and those tensors; `config` has its sizes. A file with longrope factors needs no
/// `rope.scaling.type`, and converters write none.
Result<RopeConfig> readRope(const GgufKeys& keys, const ingest::Checkpoint& tensors, const ModelConfig& config);

} // namespace llcuda::models
