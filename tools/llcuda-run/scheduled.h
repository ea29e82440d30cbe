// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "llcuda/llcuda.hpp"
#include "tools/llcuda-run/options.h"

namespace llcuda::run {

/// Continues the prompt as the one request of a scheduler, to which masks and guesses belong. Prints what a session's
/// answer prints; the exit code.
int generateScheduled(api::Engine& engine, const std::vector<int32_t>& prompt, const Options& options);

} // namespace llcuda::run
