// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/nvrtc_search.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace llcuda::codegen {
namespace {

namespace fs = std::filesystem;

// A driver of the 12 series, as Colab's and Kaggle's, does not load what NVRTC 13 writes: 13 is taken where there is no
// 12 in any place.
constexpr const char* kNames[] = {"libnvrtc.so.12", "libnvrtc.so.13", "libnvrtc.so"};
// Inside a python package folder: the CUDA 12 and the CUDA 13 wheels.
constexpr const char* kWheelFolders[] = {"nvidia/cuda_nvrtc/lib", "nvidia/cu13/lib"};

/// lib/python3.*/{site,dist}-packages below a prefix, sorted.
std::vector<fs::path> packageFolders(const fs::path& prefix) {
  std::vector<fs::path> folders;
  for (const char* lib : {"lib", "lib64", "local/lib"}) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(prefix / lib, error))
      if (entry.path().filename().string().starts_with("python3"))
        for (const char* packages : {"site-packages", "dist-packages"}) folders.push_back(entry.path() / packages);
  }
  std::ranges::sort(folders);
  return folders;
}

std::vector<fs::path> searchFolders(const NvrtcSearch& search) {
  std::vector<fs::path> folders;
  const auto addPackages = [&](const fs::path& packages) {
    for (const char* wheel : kWheelFolders) folders.push_back(packages / wheel);
  };
  if (!search.binaryFolder.empty()) {
    folders = {fs::path(search.binaryFolder), fs::path(search.binaryFolder) / "../lib"};
    addPackages(fs::path(search.binaryFolder) / "../.."); // a program of a python package: those beside it
  }
  for (const std::string& prefix : search.pythonPrefixes)
    for (const fs::path& packages : packageFolders(prefix)) addPackages(packages);
  return folders;
}

} // namespace

NvrtcSearch usualSearch(const std::string& path, const std::string& binaryFolder, const std::string& virtualEnvironment,
                        const std::string& home) {
  NvrtcSearch search{.path = path, .binaryFolder = binaryFolder, .pythonPrefixes = {}};
  if (!virtualEnvironment.empty())
    search.pythonPrefixes.push_back(virtualEnvironment);
  if (!binaryFolder.empty()) {
    search.pythonPrefixes.push_back(binaryFolder + "/..");
    search.pythonPrefixes.push_back(binaryFolder + "/../../venv");
  }
  if (!home.empty())
    search.pythonPrefixes.push_back(home + "/.local");
  search.pythonPrefixes.insert(search.pythonPrefixes.end(), {"/usr/local", "/usr"});
  return search;
}

NvrtcSearch programSearch(const std::string& given) {
  const auto environment = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value ? value : "";
  };
  std::error_code ignored;
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  return usualSearch(given.empty() ? environment("LLCUDA_NVRTC") : given, self.parent_path().string(),
                     environment("VIRTUAL_ENV"), environment("HOME"));
}

std::vector<std::string> nvrtcCandidates(const NvrtcSearch& search) {
  std::error_code error;
  if (!search.path.empty() && !fs::is_directory(search.path, error))
    return {search.path};
  const std::vector<fs::path> folders =
      search.path.empty() ? searchFolders(search) : std::vector<fs::path>{fs::path(search.path)};
  std::vector<std::string> candidates;
  for (const char* name : kNames) {
    for (const fs::path& folder : folders)
      if (fs::exists(folder / name, error))
        candidates.push_back((folder / name).string());
    if (search.path.empty())
      candidates.emplace_back(name);
  }
  return candidates;
}

} // namespace llcuda::codegen
