// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/adapters.h"

#include <algorithm>
#include <filesystem>
#include <ranges>

#include "compiler/ingest/encode_rows.h"
#include "compiler/ingest/hf_templates.h"
#include "compiler/ingest/hf_vocabulary.h"
#include "compiler/ingest/lora_checkpoint.h"
#include "compiler/ingest/message_parts.h"
#include "compiler/models/family.h"

namespace llcuda::models {
namespace {

ingest::LoraTarget targetOf(const ModelConfig& config) {
  ingest::LoraTarget target;
  // An adapter's rows are in the order of its family's Hugging Face files, whatever the base is.
  for (const LayerConfig& layer : config.layers)
    target.layers.push_back({.pairRows = config.pairOrder != config.family->hfPairs ? layer.headSize : 0,
                             .queryRows = uint64_t{layer.heads} * layer.headSize,
                             .kvRows = uint64_t{layer.kvHeads} * layer.headSize});
  // A base that lacks the 1 of Gemma's norms is from Hugging Face, as the adapter is; another base has it already.
  target.normPlus = config.family->hfNormPlus - config.normPlus;
  return target;
}

void takeVocabularySize(OpenedModel& model, uint64_t rows) {
  if (rows == model.config.vocabulary)
    return;
  model.notes.push_back("the vocabulary went from " + std::to_string(model.config.vocabulary) + " to " +
                        std::to_string(rows) + " tokens, as the adapter has them");
  model.config.vocabulary = static_cast<uint32_t>(rows);
}

/// An adapter's folder lacks what a model says beside its tokenizer: further tokens that end an answer, sampling, and
/// the template where training needed none.
void keepWhatTheBaseSays(const text::TextConfig& base, const std::string& folder, ingest::Vocabulary& vocabulary) {
  text::TextConfig& own = vocabulary.config;
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::path(folder) / "generation_config.json", ignored))
    own.sampling = base.sampling;
  if (own.chatTemplate.empty() && own.namedTemplates.empty()) {
    own.chatTemplate = base.chatTemplate;
    own.namedTemplates = base.namedTemplates;
  }
  std::vector<int32_t> ends;
  std::ranges::set_union(own.endOfGeneration, base.endOfGeneration, std::back_inserter(ends));
  std::erase_if(ends, [&](int32_t token) { return static_cast<uint32_t>(token) >= vocabulary.size; });
  own.endOfGeneration = std::move(ends);
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

Result<void> addAdapters(OpenedModel& model, std::span<const AdapterOption> adapters, const OpenOptions& options) {
  std::vector<ingest::ScaledAdapter> opened;
  for (const AdapterOption& option : adapters) {
    LLCUDA_ASSIGN_OR_RETURN(ingest::LoraAdapter adapter,
                            ingest::LoraAdapter::open(option.folder, model.config.family->naming()));
    opened.push_back({std::move(adapter), option.scale});
  }
  const auto use = options.mergeAdapters ? ingest::LoraUse::kMerged : ingest::LoraUse::kBeside;
  LLCUDA_ASSIGN_OR_RETURN(auto merged, ingest::LoraCheckpoint::create(std::move(model.checkpoint), std::move(opened),
                                                                      targetOf(model.config), use, options.threads));
  model.notes.insert(model.notes.end(), merged->notes().begin(), merged->notes().end());
  model.checkpoint = std::move(merged);
  if (const ingest::TensorInfo* embeddings = model.checkpoint->find("token_embd.weight"))
    takeVocabularySize(model, ingest::rowsOf(*embeddings));
  return {};
}

Result<void> takeTokenizer(OpenedModel& model, std::span<const AdapterOption> adapters) {
  for (const AdapterOption& option : adapters | std::views::reverse) {
    const bool hasTokens = ingest::holdsTokenizer(option.folder);
    text::TextConfig own;
    if (hasTokens) {
      LLCUDA_ASSIGN_OR_RETURN(ingest::Vocabulary vocabulary, ingest::readHfVocabulary(option.folder));
      keepWhatTheBaseSays(model.vocabulary.config, option.folder, vocabulary);
      model.vocabulary = std::move(vocabulary);
    } else {
      LLCUDA_RETURN_IF_ERROR(ingest::readHfTemplates(option.folder, own));
      if (own.chatTemplate.empty() && own.namedTemplates.empty())
        continue;
      model.vocabulary.config.chatTemplate = std::move(own.chatTemplate);
      model.vocabulary.config.namedTemplates = std::move(own.namedTemplates);
    }
    model.notes.push_back(option.folder + ": its " + (hasTokens ? "tokenizer takes" : "chat template takes") +
                          " the place of the base's");
    return {};
  }
  return {};
}

} // namespace llcuda::models
