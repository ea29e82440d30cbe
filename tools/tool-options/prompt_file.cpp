// SPDX-License-Identifier: Apache-2.0
#include "tools/tool-options/prompt_file.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "runtime/base/regular_file.h"

namespace llcuda::tools {
namespace {

/// A descriptor that the program was started with, and that is no folder.
bool isOpenPipe(const std::string& path) {
  std::error_code ignored;
  const auto kind = std::filesystem::status(path, ignored).type();
  return (path == "/dev/stdin" || path.starts_with("/dev/fd/") || path.starts_with("/proc/self/fd/")) &&
         (kind == std::filesystem::file_type::fifo || kind == std::filesystem::file_type::character);
}

} // namespace

Result<std::string> readPromptFile(const std::string& path) {
  if (!isOpenPipe(path))
    return readFile(path);
  std::ifstream pipe(path, std::ios::binary);
  if (!pipe)
    return badInput(path, ": cannot be opened");
  return std::string(std::istreambuf_iterator<char>(pipe), {});
}

} // namespace llcuda::tools
