// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/stated_config.h"

#include <filesystem>

#include "compiler/ingest/gguf_kind.h"
#include "compiler/ingest/safetensors_set.h"
#include "compiler/models/gguf_config.h"
#include "compiler/models/hf_config.h"
#include "compiler/models/open_folder.h"

namespace llcuda::models {

Result<ModelConfig> statedConfig(const ingest::GgufCheckpoint& checkpoint) {
  const ingest::GgufFile& metadata = checkpoint.metadata();
  LLCUDA_RETURN_IF_ERROR(ingest::checkHoldsModel(metadata));
  Result<ModelConfig> config = configFromGguf(metadata, checkpoint);
  if (!config)
    return makeError(config.error().code, metadata.path(), ": ", config.error().message);
  return config;
}

Result<ModelConfig> statedConfig(const std::string& path) {
  if (!ingest::isSafetensors(path)) {
    LLCUDA_ASSIGN_OR_RETURN(const auto checkpoint, ingest::GgufCheckpoint::open(path));
    return statedConfig(*checkpoint);
  }
  std::error_code ignored;
  const std::filesystem::path given(path),
      folder = std::filesystem::is_directory(given, ignored) ? given : given.parent_path();
  LLCUDA_ASSIGN_OR_RETURN(HfConfig config, readFolderConfig(folder.empty() ? "." : folder.string()));
  return std::move(config.model);
}

} // namespace llcuda::models
