// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/merge_adapters.h"

#include <filesystem>

#include "compiler/ingest/lora_checkpoint.h"
#include "compiler/ingest/message_parts.h"
#include "compiler/models/family.h"

namespace llcuda::models {
namespace {

ingest::LoraTarget targetOf(const ModelConfig& config) {
  ingest::LoraTarget target;
  for (const LayerConfig& layer : config.layers)
    target.layers.push_back({.pairRows = config.pairOrder == PairOrder::kAdjacent ? layer.headSize : 0,
                             .queryRows = uint64_t{layer.heads} * layer.headSize,
                             .kvRows = uint64_t{layer.kvHeads} * layer.headSize});
  // A base that lacks the 1 of Gemma's norms is from Hugging Face, as the adapter is; another base has it already.
  target.normPlus = config.family->hfNormPlus - config.normPlus;
  return target;
}

} // namespace

Result<std::string> basePathOf(const std::string& folder, const std::string& given) {
  if (!given.empty())
    return given;
  LLCUDA_ASSIGN_OR_RETURN(const ingest::LoraConfig config, ingest::readLoraConfig(folder + "/adapter_config.json"));
  std::error_code ignored;
  if (!config.baseModel.empty() && std::filesystem::exists(config.baseModel, ignored))
    return config.baseModel;
  return usageError(folder, ": holds an adapter and no model; give the model that it was trained on (it says ",
                    ingest::Quoted{config.baseModel}, ") with --base PATH");
}

Result<void> mergeAdapters(OpenedModel& model, std::span<const AdapterOption> adapters, unsigned threads) {
  std::vector<ingest::ScaledAdapter> opened;
  for (const AdapterOption& option : adapters) {
    LLCUDA_ASSIGN_OR_RETURN(ingest::LoraAdapter adapter,
                            ingest::LoraAdapter::open(option.folder, {model.config.family->tensors}));
    opened.push_back({std::move(adapter), option.scale});
  }
  LLCUDA_ASSIGN_OR_RETURN(auto merged, ingest::LoraCheckpoint::create(std::move(model.checkpoint), std::move(opened),
                                                                      targetOf(model.config), threads));
  model.notes.insert(model.notes.end(), merged->notes().begin(), merged->notes().end());
  model.checkpoint = std::move(merged);
  return {};
}

} // namespace llcuda::models
