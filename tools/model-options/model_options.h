// SPDX-License-Identifier: Apache-2.0
// The flags that say what becomes of a model's weights, shared by the tools that open models.
#pragma once

#include <CLI/CLI.hpp>

#include "compiler/models/open_model.h"

namespace llcuda::tools {

/// Adds `--quantize` and `--head`. `options` must outlive the parsing.
void addModelOptions(CLI::App& app, models::OpenOptions& options);

} // namespace llcuda::tools
