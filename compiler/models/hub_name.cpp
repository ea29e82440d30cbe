// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/hub_name.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace llcuda::models {
namespace {

bool isNamePart(std::string_view part) {
  return !part.empty() && std::isalnum(static_cast<unsigned char>(part.front())) &&
         std::ranges::all_of(part, [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '_' || c == '-'; });
}

} // namespace

Result<void> refuseHubName(const std::string& path) {
  if (path.starts_with("https://") || path.starts_with("http://"))
    return badInput(path, ": is an address, not a file or a folder; download it first, what the hub has with "
                          "`hf download OWNER/NAME --local-dir NAME`");
  const size_t slash = path.find('/');
  if (slash == std::string::npos || path.ends_with(".gguf"))
    return {};
  const std::string name = path.substr(slash + 1);
  std::error_code ignored;
  if (!isNamePart(path.substr(0, slash)) || !isNamePart(name) || std::filesystem::exists(path, ignored))
    return {};
  return badInput(path,
                  ": there is no such file or folder; to fetch the model of that name from the hub run `hf download ",
                  path, " --local-dir ", name, "`, then `llcuda-compile ", name, " -o ", name, ".engine`");
}

} // namespace llcuda::models
