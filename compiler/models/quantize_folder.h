// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compiler/ingest/quantize_gguf.h"
#include "compiler/models/open_model.h"

namespace llcuda::models {

/// quantizeModel() of a Hugging Face folder, a safetensors file in one, or an adapter's folder, whose adapter is
/// merged; `open` says of which base, and whose tokenizer it gets. What the file says is read back and compared with
/// the folder before anything is quantised: the model, and the ids of a text.
///
/// kUnsupported besides: a family whose folders become no GGUF files, by name, and a model that its keys do not say.
Result<ingest::QuantizeGgufReport> quantizeFolder(const ingest::QuantizeGgufOptions& options, OpenOptions open);

} // namespace llcuda::models
