// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace llcuda::tools {

/// Whether the interpreter is to run it: a GGUF file, or a folder.
bool isCheckpoint(const std::string& path);

} // namespace llcuda::tools
