// SPDX-License-Identifier: Apache-2.0
// The hyperparameters of a GGUF file, with llama.cpp's defaults for what a file leaves out.
#pragma once

#include "compiler/ingest/checkpoint.h"
#include "compiler/ingest/gguf_reader.h"
#include "compiler/models/model_config.h"
#include "runtime/base/result.h"

namespace llcuda::models {

/// Reads `<architecture>.*` of `metadata`, and the divisors of the rope from `tensors`. A key or tensor that is
/// missing, of the wrong type or out of bounds is an error that names it; what the file asks for and this version lacks
/// (another architecture, experts, an unknown rope scaling) is kUnsupported. Messages lack the file's name.
Result<ModelConfig> configFromGguf(const ingest::GgufFile& metadata, const ingest::Checkpoint& tensors);

/// The blocks of the file behind the layers of its configuration, which predict further tokens.
uint64_t predictingLayers(const ingest::GgufFile& metadata, const ModelConfig& config);

} // namespace llcuda::models
