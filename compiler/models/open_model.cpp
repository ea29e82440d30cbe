// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/open_model.h"

#include "compiler/ingest/gguf_checkpoint.h"
#include "compiler/ingest/gguf_vocabulary.h"
#include "compiler/ingest/half_checkpoint.h"
#include "compiler/ingest/quantized_checkpoint.h"
#include "compiler/models/gguf_config.h"
#include "compiler/models/hub_name.h"

namespace llcuda::models {
namespace {

Result<void> quantize(OpenedModel& model, const OpenOptions& options) {
  if (!options.quantize.quantization && !options.quantize.head) {
    if (std::string advice = ingest::headAdvice(*model.checkpoint); !advice.empty())
      model.notes.push_back(std::move(advice));
    return {};
  }
  LLCUDA_ASSIGN_OR_RETURN(auto quantized,
                          ingest::QuantizedCheckpoint::create(std::move(model.checkpoint), model.config.layers,
                                                              options.quantize, options.threads));
  model.notes.insert(model.notes.end(), quantized->notes().begin(), quantized->notes().end());
  model.checkpoint = std::move(quantized);
  return {};
}

/// bf16 matrices become f16 where f16 holds them.
Result<void> halve(OpenedModel& model) {
  LLCUDA_ASSIGN_OR_RETURN(auto half, ingest::HalfCheckpoint::over(std::move(model.checkpoint)));
  if (half->halvedMatrices() != 0)
    model.notes.push_back(std::to_string(half->halvedMatrices()) + " bf16 matrices became f16");
  if (const auto kept = half->keptMatrices(); !kept.empty())
    model.notes.push_back(std::to_string(kept.size()) +
                          " bf16 matrices became f32, because f16 cannot hold their values: " + kept.front() +
                          (kept.size() > 1 ? " and others" : ""));
  model.checkpoint = std::move(half);
  return {};
}

} // namespace

Result<OpenedModel> openModel(const std::string& path, const OpenOptions& options) {
  LLCUDA_RETURN_IF_ERROR(refuseHubName(path));
  LLCUDA_ASSIGN_OR_RETURN(auto checkpoint, ingest::GgufCheckpoint::open(path));
  OpenedModel model;
  LLCUDA_ASSIGN_OR_RETURN(model.config, configFromGguf(checkpoint->metadata(), *checkpoint));
  LLCUDA_ASSIGN_OR_RETURN(model.vocabulary, ingest::readVocabulary(checkpoint->metadata()));
  model.checkpoint = std::move(checkpoint);
  LLCUDA_RETURN_IF_ERROR(quantize(model, options));
  LLCUDA_RETURN_IF_ERROR(halve(model));
  return model;
}

} // namespace llcuda::models
