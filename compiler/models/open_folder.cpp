// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/open_folder.h"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "compiler/ingest/folded_experts.h"
#include "compiler/ingest/hf_checkpoint.h"
#include "compiler/ingest/hf_vocabulary.h"
#include "compiler/ingest/json_text.h"
#include "compiler/ingest/stacked_experts.h"
#include "compiler/models/family.h"
#include "compiler/models/hf_config.h"
#include "compiler/models/sentence_modules.h"

namespace llcuda::models {
namespace {

namespace fs = std::filesystem;

/// The name of the folder, for people.
std::string nameOf(const fs::path& folder) {
  std::error_code ignored;
  const fs::path whole = fs::weakly_canonical(folder, ignored);
  return whole.filename().string();
}

} // namespace

Result<HfConfig> readFolderConfig(const std::string& folder) {
  const std::string path = (fs::path(folder) / "config.json").string();
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored))
    return badInput(folder, ": holds no config.json; it is not the whole folder of a model");
  LLCUDA_ASSIGN_OR_RETURN(const nlohmann::json json, ingest::readJsonFile(path));
  Result<HfConfig> config = configFromHf(json);
  if (!config)
    return makeError(config.error().code, path, ": ", config.error().message);
  LLCUDA_ASSIGN_OR_RETURN(config->model.pooling, readSentencePooling(folder));
  return config;
}

Result<OpenedModel> openFolder(const std::string& path, const OpenOptions& options) {
  std::error_code ignored;
  const std::string folder = fs::is_directory(path, ignored) ? path : fs::path(path).parent_path().string();
  const std::string home = folder.empty() ? "." : folder;
  LLCUDA_ASSIGN_OR_RETURN(ingest::SafetensorsSet files, ingest::SafetensorsSet::open(path));
  LLCUDA_ASSIGN_OR_RETURN(HfConfig config, readFolderConfig(home));
  OpenedModel model;
  LLCUDA_ASSIGN_OR_RETURN(std::unique_ptr<ingest::HfCheckpoint> checkpoint,
                          ingest::HfCheckpoint::open(std::move(files), config.tensors));
  model.notes = checkpoint->notes();
  model.checkpoint = std::move(checkpoint);
  model.config = std::move(config.model);
  if (model.config.family->experts) {
    LLCUDA_ASSIGN_OR_RETURN(model.checkpoint, ingest::StackedExperts::over(std::move(model.checkpoint)));
    LLCUDA_ASSIGN_OR_RETURN(model.checkpoint, ingest::FoldedExperts::over(std::move(model.checkpoint),
                                                                          config.tensors.naming.expertsByTurns));
  }
  model.config.name = nameOf(home);
  model.quantize = std::move(config.quantize);
  if (options.tokenizer.empty()) {
    LLCUDA_ASSIGN_OR_RETURN(model.vocabulary, ingest::readHfVocabulary(home));
  }
  return model;
}

} // namespace llcuda::models
