// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "compiler/pipeline/compile.h"
#include "tools/compile-options/progress.h"

namespace llcuda::tools {

struct Request {
  pipeline::CompileOptions options;
  std::string refit;                   ///< the engine that gets other weights; empty: compile
  bool intoCache = false;              ///< write to the cache of engines, unless the engine is there
  std::vector<std::string> cacheFlags; ///< with intoCache: what was said that decides what the engine is
  ProgressForm progress = ProgressForm::kNone;
  std::string report; ///< the file that gets the report as JSON, "-": standard output; empty: none
};

/// What the command line asks for, or the exit code when there is nothing to compile (--help, a wrong flag).
std::variant<Request, int> parseRequest(int argc, char** argv);

} // namespace llcuda::tools
