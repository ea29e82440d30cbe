// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compiler/ingest/checkpoint.h"
#include "compiler/models/config_reader.h"

namespace llcuda::models {

/// Tensors that say how positions turn heads; they are part of no layer.
inline constexpr const char* kRopeDivisors = "rope_freqs.weight";
inline constexpr const char* kRopeShortFactors = "rope_factors_short.weight";
inline constexpr const char* kRopeLongFactors = "rope_factors_long.weight";

/// Reads the keys `rope.*` and those tensors; `config` has all but ropes. A file with longrope factors needs no
/// `rope.scaling.type`, and converters write none.
Result<RopeConfig> readGgufRope(const Keys& keys, const ingest::Checkpoint& tensors, const ModelConfig& config,
                                uint32_t headSize, bool local);

} // namespace llcuda::models
