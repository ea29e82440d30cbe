// SPDX-License-Identifier: Apache-2.0
// A configuration as the keys of a GGUF file, and whether what such a file says is the same model.
#pragma once

#include "compiler/ingest/gguf_writer.h"
#include "compiler/models/family.h"

namespace llcuda::models {

/// Writes `general.architecture`, `general.name` and the keys of `target`, by the names of its rows.
void addConfig(const ModelConfig& config, const Family& target, ingest::GgufHeader& header);

/// Whether `read`, of a GGUF file, is the model of `config`. Encoding and order of rows may differ. kUnsupported names
/// what the keys of GGUF do not say.
Result<void> checkSameModel(const ModelConfig& config, const ModelConfig& read);

} // namespace llcuda::models
