// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "compiler/models/hf_config.h"
#include "compiler/models/open_model.h"

namespace llcuda::models {

/// Opens a Hugging Face folder, or a safetensors file whose folder holds its configuration. The vocabulary is left
/// empty when `options` name another tokenizer, and nothing is quantised yet.
Result<OpenedModel> openFolder(const std::string& path, const OpenOptions& options);

/// Reads the config.json of a folder, whose errors name it.
Result<HfConfig> readFolderConfig(const std::string& folder);

} // namespace llcuda::models
