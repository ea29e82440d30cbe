// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace llcuda::codegen {

/// Runs a program in `folder` until it ends: its exit status, or 128 + the signal that ended it. Its output and its
/// messages go to `outputFile` there, its temporary files into the folder too. It has the C locale, and none of the
/// environment variables that change what a compiler makes. `command[0]` is a path, or a name that is looked for as a
/// shell does. Any thread may call.
Result<int> runProgram(const std::vector<std::string>& command, const std::string& folder,
                       const std::string& outputFile);

} // namespace llcuda::codegen
