// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/open_model.h"

#include "compiler/ingest/gguf_checkpoint.h"
#include "compiler/ingest/gguf_vocabulary.h"

namespace llcuda::models {

Result<OpenedModel> openModel(const std::string& path, const OpenOptions&) {
  LLCUDA_ASSIGN_OR_RETURN(ingest::GgufFile file, ingest::GgufFile::open(path));
  OpenedModel model;
  LLCUDA_ASSIGN_OR_RETURN(model.config, configFromGguf(file));
  LLCUDA_ASSIGN_OR_RETURN(model.vocabulary, ingest::readVocabulary(file));
  model.checkpoint = std::make_unique<ingest::GgufCheckpoint>(std::move(file));
  return model;
}

} // namespace llcuda::models
