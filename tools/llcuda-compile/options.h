// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>

#include "compiler/pipeline/compile.h"

namespace llcuda::tools {

struct Request {
  pipeline::CompileOptions options;
  std::string refit; ///< the engine that gets other weights; empty: compile
};

/// What the command line asks for, or the exit code when there is nothing to compile (--help, a wrong flag).
std::variant<Request, int> parseRequest(int argc, char** argv);

} // namespace llcuda::tools
