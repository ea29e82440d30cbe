// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "llcuda/llcuda.hpp"
#include "tools/llcuda-run/options.h"

namespace llcuda::run {

/// Continues the prompt by `options.grammar`, as the one request of a scheduler: masks belong to those. Prints what
/// generating without a grammar prints; the exit code.
int generateConstrained(api::Engine& engine, const std::vector<int32_t>& prompt, const Options& options);

} // namespace llcuda::run
