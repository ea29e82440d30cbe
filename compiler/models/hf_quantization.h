// SPDX-License-Identifier: Apache-2.0
// What a config.json says about how the weights are, or are to be, quantised.
#pragma once

#include "compiler/models/json_values.h"

namespace llcuda::models {

/// What `_llcuda_quantization` asks for, in the words of --quantize; empty without the key and where the weights are so
/// already, as `quantization_config` says. Other methods than bitsandbytes, other values of the key and a
/// `_llcuda_version` after this program's are kUnsupported.
Result<std::string> quantizationOf(const JsonValues& root);

} // namespace llcuda::models
