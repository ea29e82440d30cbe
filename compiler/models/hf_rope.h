// SPDX-License-Identifier: Apache-2.0
// The ropes of a config.json, in the words of every version of transformers.
#pragma once

#include "compiler/models/config_reader.h"
#include "compiler/models/json_values.h"

namespace llcuda::models {

/// Up to version 4 the base stands in rope_theta (of local layers in rope_local_base_freq) and the rest in
/// rope_scaling; version 5 has it all in rope_parameters, once or for each kind of layer (`local`: with a window).
/// `config` has all but ropes.
Result<RopeConfig> readHfRope(const Keys& keys, const JsonValues& file, const ModelConfig& config, uint32_t headSize,
                              bool local);

} // namespace llcuda::models
