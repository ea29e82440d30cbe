// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/open_model.h"

#include "compiler/ingest/gguf_checkpoint.h"
#include "compiler/ingest/gguf_vocabulary.h"
#include "compiler/ingest/quantized_checkpoint.h"

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

} // namespace

Result<OpenedModel> openModel(const std::string& path, const OpenOptions& options) {
  LLCUDA_ASSIGN_OR_RETURN(ingest::GgufFile file, ingest::GgufFile::open(path));
  OpenedModel model;
  LLCUDA_ASSIGN_OR_RETURN(model.config, configFromGguf(file));
  LLCUDA_ASSIGN_OR_RETURN(model.vocabulary, ingest::readVocabulary(file));
  model.checkpoint = std::make_unique<ingest::GgufCheckpoint>(std::move(file));
  LLCUDA_RETURN_IF_ERROR(quantize(model, options));
  return model;
}

} // namespace llcuda::models
