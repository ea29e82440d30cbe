// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/open_folder.h"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "compiler/ingest/dense_modules.h"
#include "compiler/ingest/folded_experts.h"
#include "compiler/ingest/hf_checkpoint.h"
#include "compiler/ingest/hf_vocabulary.h"
#include "compiler/ingest/json_text.h"
#include "compiler/ingest/stacked_experts.h"
#include "compiler/models/config_limits.h"
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

/// The linears behind the rows, where the family has room for them.
Result<void> addLinears(const std::vector<SentenceLinear>& linears, const std::string& folder, HfConfig& config) {
  uint32_t columns = config.model.embedding;
  for (const SentenceLinear& linear : linears) {
    if (!config.model.family->denseModules)
      return unsupported(folder, ": Dense modules behind the rows of ", config.model.family->architecture,
                         " are not supported");
    if (linear.inputs != columns)
      return badInput(linear.folder, ": has ", linear.inputs, " in_features for rows of ", columns);
    columns = linear.outputs;
    config.model.dense.push_back(columns);
    config.linears.push_back(linear.folder);
  }
  return checkConfig(config.model);
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
  LLCUDA_ASSIGN_OR_RETURN(SentenceModules modules, readSentenceModules(folder));
  config->model.pooling = modules.pooling;
  LLCUDA_RETURN_IF_ERROR(addLinears(modules.linears, folder, *config));
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
  LLCUDA_ASSIGN_OR_RETURN(model.checkpoint, ingest::DenseModules::over(std::move(checkpoint), config.linears));
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
