// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>

#include "tools/llcuda-run/options.h"

namespace llcuda::run {

/// True for a file that begins as a GGUF does.
bool isGguf(const std::string& path);

/// The engine of a GGUF, from the cache folder; compiled into it by the llcuda-compile beside this program when it is
/// not there, or when the file has changed since. An exit code when that fails; what to say has been said.
std::variant<std::string, int> compiledEngine(const Options& options);

} // namespace llcuda::run
