// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-eval/checkpoint.h"

#include <filesystem>

#include "runtime/base/regular_file.h"

namespace llcuda::tools {

bool isCheckpoint(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return true;
  return fileStart(path, 4) == "GGUF";
}

} // namespace llcuda::tools
