// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runtime/base/result.h"

namespace llcuda::tools {

/// The text that -f FILE names: all bytes of a regular file, or what an open pipe brings until it ends (`-f
/// /dev/stdin`, `-f <(command)`). kBadInput for anything else.
Result<std::string> readPromptFile(const std::string& path);

} // namespace llcuda::tools
