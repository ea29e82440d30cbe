// SPDX-License-Identifier: Apache-2.0
// A path that a user gave as a model, opened: tensors, hyperparameters, vocabulary.
#pragma once

#include <memory>
#include <string>

#include "compiler/ingest/checkpoint.h"
#include "compiler/ingest/quantization.h"
#include "compiler/ingest/vocabulary.h"
#include "compiler/models/model_config.h"
#include "runtime/base/result.h"

namespace llcuda::models {

/// What a user may ask for besides the path.
struct OpenOptions {
  ingest::QuantizeOptions quantize;
  unsigned threads = 1; ///< that compute a tensor whose values are not those of the file
};

struct OpenedModel {
  std::unique_ptr<const ingest::Checkpoint> checkpoint; ///< owns the files that it reads
  ModelConfig config;
  ingest::Vocabulary vocabulary;
  std::vector<std::string> notes; ///< what was done to the weights, or could be, a sentence each
};

/// Opens a GGUF file, split or whole. Everything outside is verified here; a model that this version cannot compile is refused by name.
Result<OpenedModel> openModel(const std::string& path, const OpenOptions& options = {});

} // namespace llcuda::models
