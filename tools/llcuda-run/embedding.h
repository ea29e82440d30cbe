// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tools/llcuda-run/options.h"

namespace llcuda::run {

/// Prints the embedding of these tokens as llama-embedding does or, with --json, as OpenAI's API does. What goes wrong
/// is said; returns the exit code.
int printEmbedding(api::Engine& engine, const Options& options, std::vector<int32_t> tokens);

} // namespace llcuda::run
