// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/open_model.h"

#include "compiler/ingest/adapter_beside.h"
#include "compiler/ingest/gguf_checkpoint.h"
#include "compiler/ingest/gguf_vocabulary.h"
#include "compiler/ingest/half_checkpoint.h"
#include "compiler/ingest/kept_tensors.h"
#include "compiler/ingest/layer_tensors.h"
#include "compiler/ingest/lora_adapter.h"
#include "compiler/ingest/open_vocabulary.h"
#include "compiler/ingest/padded_checkpoint.h"
#include "compiler/ingest/quantized_checkpoint.h"
#include "compiler/ingest/safetensors_set.h"
#include "compiler/ingest/typed_positions.h"
#include "compiler/models/adapters.h"
#include "compiler/models/family.h"
#include "compiler/models/gguf_config.h"
#include "compiler/models/hub_name.h"
#include "compiler/models/open_folder.h"
#include "compiler/models/rank_head.h"
#include "compiler/models/stated_config.h"

namespace llcuda::models {
namespace {

/// What the user asks for, else what the model does.
Result<ingest::QuantizeOptions> quantizationOf(const OpenedModel& model, const OpenOptions& options) {
  ingest::QuantizeOptions wanted = options.quantize;
  if (!wanted.quantization && !model.quantize.empty()) {
    LLCUDA_ASSIGN_OR_RETURN(wanted.quantization, ingest::quantizationByName(model.quantize));
  }
  return wanted;
}

Result<void> quantize(OpenedModel& model, const OpenOptions& options) {
  LLCUDA_ASSIGN_OR_RETURN(const ingest::QuantizeOptions wanted, quantizationOf(model, options));
  if (!wanted.quantization && !wanted.head) {
    if (std::string advice = ingest::headAdvice(*model.checkpoint); !advice.empty())
      model.notes.push_back(std::move(advice));
    return {};
  }
  LLCUDA_ASSIGN_OR_RETURN(auto quantized,
                          ingest::QuantizedCheckpoint::create(std::move(model.checkpoint),
                                                              static_cast<uint32_t>(model.config.layers.size()), wanted,
                                                              options.threads));
  model.notes.insert(model.notes.end(), quantized->notes().begin(), quantized->notes().end());
  model.checkpoint = std::move(quantized);
  return {};
}

/// What the formula has for each layer and no file keeps.
Result<void> giveLayerTensors(OpenedModel& model) {
  if (!model.config.valueNorms)
    return {};
  std::vector<uint64_t> heads;
  for (const LayerConfig& layer : model.config.layers) heads.push_back(layer.headSize);
  LLCUDA_ASSIGN_OR_RETURN(model.checkpoint, ingest::LayerTensors::over(std::move(model.checkpoint), heads));
  return {};
}

/// Kernels read rows in whole blocks; those of `ffn_down` are as long as the layer has units.
void pad(OpenedModel& model) {
  std::vector<uint64_t> units;
  size_t padded = 0;
  for (LayerConfig& layer : model.config.layers) {
    units.push_back(layer.feedForward);
    if (layer.experts.count != 0)
      continue;
    padded += ingest::paddedUnits(layer.feedForward) != layer.feedForward ? 1 : 0;
    layer.feedForward = static_cast<uint32_t>(ingest::paddedUnits(layer.feedForward));
  }
  if (padded == 0)
    return;
  model.notes.push_back(std::to_string(padded) + " layers have feed-forwards of no whole blocks of " +
                        std::to_string(kWeightBlock) + ": zeros fill them up");
  model.checkpoint = std::make_unique<ingest::PaddedCheckpoint>(std::move(model.checkpoint), units);
}

/// bf16 matrices become f16 where f16 holds them.
Result<void> halve(OpenedModel& model) {
  LLCUDA_ASSIGN_OR_RETURN(auto half, ingest::HalfCheckpoint::over(std::move(model.checkpoint)));
  if (half->halvedMatrices() != 0)
    model.notes.push_back(std::to_string(half->halvedMatrices()) + " bf16 matrices became f16");
  if (const auto kept = half->keptMatrices(); !kept.empty())
    model.notes.push_back(std::to_string(kept.size()) +
                          " bf16 matrices became f32, because f16 cannot hold their values: " +
                          half->title(kept.front()) + (kept.size() > 1 ? " and others" : ""));
  model.checkpoint = std::move(half);
  return {};
}

/// A vocabulary that was extended may still be told with its old size.
void noteStaleVocabulary(const ingest::GgufFile& metadata, OpenedModel& model) {
  const ingest::GgufValue* architecture = metadata.find("general.architecture");
  if (!architecture || !architecture->asString())
    return;
  const std::string key = std::string(*architecture->asString()) + ".vocab_size";
  const ingest::GgufValue* value = metadata.find(key);
  const auto stated = value ? value->asUnsigned() : std::nullopt;
  if (stated && *stated != model.config.vocabulary)
    model.notes.push_back(key + " is " + std::to_string(*stated) + ", the embedding has " +
                          std::to_string(model.config.vocabulary) + " rows, which count");
}

/// The blocks behind the layers, which guess further tokens: nothing here speculates with them.
void leavePredictingLayers(const std::string& path, uint64_t count, OpenedModel& model) {
  if (count == 0)
    return;
  model.notes.push_back(path + ": " + std::to_string(count) + " blocks that predict further tokens are left out");
  const size_t layers = model.config.layers.size();
  model.checkpoint = std::make_unique<ingest::KeptTensors>(std::move(model.checkpoint), [&](const auto& tensor) {
    return ingest::layerOf(tensor.name).value_or(0) < layers;
  });
}

Result<OpenedModel> openGguf(const std::string& path, const OpenOptions& options) {
  LLCUDA_ASSIGN_OR_RETURN(auto checkpoint, ingest::GgufCheckpoint::open(path));
  OpenedModel model;
  LLCUDA_ASSIGN_OR_RETURN(model.config, statedConfig(*checkpoint));
  noteStaleVocabulary(checkpoint->metadata(), model);
  if (options.tokenizer.empty()) {
    LLCUDA_ASSIGN_OR_RETURN(model.vocabulary, ingest::readVocabulary(checkpoint->metadata()));
  }
  const ingest::GgufFile& metadata = checkpoint->metadata(); // of what the model owns from here on
  model.checkpoint = std::move(checkpoint);
  if (!model.config.dense.empty() && !model.checkpoint->find("dense_2.weight")) {
    model.notes.push_back(path +
                          ": says that linears follow the rows and holds none: its embeddings are those of the rows");
    model.config.dense.clear();
  }
  leavePredictingLayers(path, predictingLayers(metadata, model.config), model);
  LLCUDA_RETURN_IF_ERROR(leaveRankHead(metadata, model));
  return model;
}

/// A path that holds only an adapter becomes its base, and the adapter the first one to merge; so is one that was saved
/// together with the model.
Result<std::string> modelPath(const std::string& path, const OpenOptions& options,
                              std::vector<AdapterOption>& adapters) {
  if (!ingest::isAdapterFolder(path)) {
    if (const std::string within = ingest::adaptersWithin(path); !options.base.empty() && !within.empty())
      return badInput(path, ": holds no adapter itself", within);
    if (!options.base.empty())
      return usageError("--base is for a folder that holds only an adapter; ", path, " is a model");
    LLCUDA_ASSIGN_OR_RETURN(std::string beside, ingest::adapterBeside(path));
    if (!beside.empty())
      adapters.insert(adapters.begin(), {std::move(beside), 1});
    return path;
  }
  adapters.insert(adapters.begin(), {path, 1});
  return basePathOf(path, options.base);
}

} // namespace

Result<OpenedModel> openStored(const std::string& path, const OpenOptions& options) {
  LLCUDA_RETURN_IF_ERROR(refuseHubName(path));
  std::vector<AdapterOption> adapters = options.adapters;
  LLCUDA_ASSIGN_OR_RETURN(const std::string base, modelPath(path, options, adapters));
  LLCUDA_ASSIGN_OR_RETURN(OpenedModel model,
                          ingest::isSafetensors(base) ? openFolder(base, options) : openGguf(base, options));
  if (!options.tokenizer.empty()) {
    LLCUDA_ASSIGN_OR_RETURN(model.vocabulary, ingest::openVocabulary(options.tokenizer));
  } else {
    LLCUDA_RETURN_IF_ERROR(takeTokenizer(model, adapters));
  }
  model.notes.insert(model.notes.end(), model.vocabulary.notes.begin(), model.vocabulary.notes.end());
  if (!adapters.empty())
    LLCUDA_RETURN_IF_ERROR(addAdapters(model, adapters, options));
  return model;
}

Result<OpenedModel> openModel(const std::string& path, const OpenOptions& options) {
  LLCUDA_ASSIGN_OR_RETURN(OpenedModel model, openStored(path, options));
  LLCUDA_RETURN_IF_ERROR(giveLayerTensors(model));
  if (model.config.family->encoder) {
    LLCUDA_ASSIGN_OR_RETURN(model.checkpoint,
                            ingest::TypedPositions::over(std::move(model.checkpoint), model.config.embedding,
                                                         model.config.skippedPositions));
  }
  pad(model);
  LLCUDA_RETURN_IF_ERROR(quantize(model, options));
  LLCUDA_RETURN_IF_ERROR(halve(model));
  return model;
}

} // namespace llcuda::models
