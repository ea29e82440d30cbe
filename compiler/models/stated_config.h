// SPDX-License-Identifier: Apache-2.0
// The numbers that a model states, without its tensors.
#pragma once

#include <string>

#include "compiler/ingest/gguf_checkpoint.h"
#include "compiler/models/model_config.h"
#include "runtime/base/result.h"

namespace llcuda::models {

/// Of a GGUF file or the folder of a model: an error says why openModel() refuses it for what it is, and names the
/// file.
Result<ModelConfig> statedConfig(const std::string& path);
/// Of a GGUF file that is open.
Result<ModelConfig> statedConfig(const ingest::GgufCheckpoint& checkpoint);

} // namespace llcuda::models
