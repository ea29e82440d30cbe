// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>

#include "tools/llcuda-run/options.h"

namespace llcuda::run {

/// True for a folder and for a file that begins as a GGUF, that is named as safetensors are, or that is JSON: one of
/// the files of a folder, of which llcuda-compile says so.
bool isModel(const std::string& path);

/// The engine of a model, from the cache folder (engine_cache.h); compiled into it by the llcuda-compile beside this
/// program when it is not there. An exit code when that fails; what to say has been said.
std::variant<std::string, int> compiledEngine(const Options& options);

} // namespace llcuda::run
