// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-eval/checkpoint.h"

#include <filesystem>
#include <fstream>
#include <string_view>

namespace llcuda::tools {

bool isCheckpoint(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return true;
  char magic[4] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof(magic));
  return std::string_view(magic, sizeof(magic)) == "GGUF";
}

} // namespace llcuda::tools
