// SPDX-License-Identifier: Apache-2.0
// LoRA adapters that a user gives beside, or in place of, a model.
#pragma once

#include <span>
#include <string>

#include "compiler/models/open_model.h"

namespace llcuda::models {

/// The model that the adapter in `folder` changes: `given` where it is not empty, else the path that the adapter names
/// if it is one here. kUsage when there is neither.
Result<std::string> basePathOf(const std::string& folder, const std::string& given);

/// Puts the checkpoint of `model` under one that holds `adapters`, merged or beside, in their order. Its vocabulary
/// becomes as large as the embeddings that they bring.
Result<void> addAdapters(OpenedModel& model, std::span<const AdapterOption> adapters, const OpenOptions& options);

/// The tokenizer and templates of the last of `adapters` whose folder has some take the place of the model's. A note
/// says so. The tokens that end an answer are both sides'.
Result<void> takeTokenizer(OpenedModel& model, std::span<const AdapterOption> adapters);

} // namespace llcuda::models
