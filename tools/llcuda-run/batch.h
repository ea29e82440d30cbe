// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "llcuda/llcuda.hpp"
#include "runtime/base/file_id.h"
#include "tools/llcuda-run/options.h"

namespace llcuda::run {

/// Answers the requests of options.batch, OpenAI's batch lines, into options.output: each once, in the order in which
/// they end. What is there already is not asked again, so a run that was killed can be started again. Says on standard
/// error how far it is. The exit code.
int runBatch(api::Engine& engine, const Options& options, const std::vector<InputFile>& inputs);

} // namespace llcuda::run
