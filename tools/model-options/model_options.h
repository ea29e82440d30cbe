// SPDX-License-Identifier: Apache-2.0
// The flags that say what becomes of a model's weights, shared by the tools that open models.
#pragma once

#include <CLI/CLI.hpp>

#include "compiler/models/open_model.h"

namespace llcuda::tools {

/// `DIR` or `DIR=SCALE`; kUsage where SCALE is no finite number.
Result<models::AdapterOption> parseAdapter(std::string_view text);

/// Adds `--quantize`, `--head`, `--lora`, `--merge-lora`, `--base` and `--tokenizer`. `options` must outlive the
/// parsing.
void addModelOptions(CLI::App& app, models::OpenOptions& options);

} // namespace llcuda::tools
