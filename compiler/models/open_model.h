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

/// A LoRA adapter.
struct AdapterOption {
  std::string folder;
  double scale = 1; ///< besides the adapter's own
};

/// What a user may ask for besides the path.
struct OpenOptions {
  std::vector<AdapterOption> adapters; ///< in this order, before anything is quantised
  bool mergeAdapters = false;          ///< also into weights that are quantised, which then become f16
  std::string base;                    ///< the model, where the path holds only an adapter
  std::string tokenizer;               ///< a folder or GGUF file whose vocabulary takes the place of the model's
  ingest::QuantizeOptions quantize;
  unsigned threads = 1; ///< that compute a tensor whose values are not those of the file
};

struct OpenedModel {
  std::unique_ptr<const ingest::Checkpoint> checkpoint; ///< owns the files that it reads
  ModelConfig config;
  ingest::Vocabulary vocabulary;
  std::string quantize;           ///< what the model's configuration asks for, in the words of --quantize
  std::vector<std::string> notes; ///< what was done to the weights, or could be, a sentence each
};

/// What openModel() opens, before it is made what an engine holds: tensors as the files and adapters have them.
Result<OpenedModel> openStored(const std::string& path, const OpenOptions& options);

/// Opens a GGUF file (split or whole), a Hugging Face folder or a safetensors file in one, or the folder of an adapter
/// with its base. Everything outside is verified here; a model that this version cannot compile is refused by name.
Result<OpenedModel> openModel(const std::string& path, const OpenOptions& options = {});

} // namespace llcuda::models
