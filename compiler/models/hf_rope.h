// SPDX-License-Identifier: Apache-2.0
// The rope of a config.json, in the words of every version of transformers.
#pragma once

#include "compiler/models/hf_keys.h"

namespace llcuda::models {

/// Fills in `rope` and `localRope`. Up to version 4 the base stands in rope_theta (of local layers in
/// rope_local_base_freq) and the rest in rope_scaling; version 5 has it all in rope_parameters, once or for each kind
/// of layer. Sizes, context and local layers of `config` are read before.
Result<void> readRopes(const HfKeys& keys, double usualBase, ModelConfig& config);

} // namespace llcuda::models
