// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <variant>

#include "compiler/pipeline/compile.h"

namespace llcuda::tools {

/// The options of the command line, or the exit code when there is nothing to compile (--help, a wrong flag).
std::variant<pipeline::CompileOptions, int> parseCompileOptions(int argc, char** argv);

} // namespace llcuda::tools
