// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/nvrtc_library.h"

#include <algorithm>
#include <filesystem>

#include <dlfcn.h>
#include <link.h>

namespace llcuda::codegen {
namespace {

namespace fs = std::filesystem;

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
  if (!search.binaryFolder.empty())
    folders = {fs::path(search.binaryFolder), fs::path(search.binaryFolder) / "../lib"};
  for (const std::string& prefix : search.pythonPrefixes)
    for (const fs::path& packages : packageFolders(prefix))
      for (const char* wheel : kWheelFolders) folders.push_back(packages / wheel);
  return folders;
}

/// The library in a folder; empty when it has none.
std::string libraryIn(const fs::path& folder) {
  std::error_code error;
  for (const char* name : kNames)
    if (fs::exists(folder / name, error))
      return (folder / name).string();
  return {};
}

template <typename Function>
bool resolve(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool resolveAll(void* library, NvrtcLibrary::Functions& table) {
  return resolve(library, "nvrtcVersion", table.version) &&
         resolve(library, "nvrtcGetErrorString", table.getErrorString) &&
         resolve(library, "nvrtcCreateProgram", table.createProgram) &&
         resolve(library, "nvrtcDestroyProgram", table.destroyProgram) &&
         resolve(library, "nvrtcCompileProgram", table.compileProgram) &&
         resolve(library, "nvrtcGetProgramLogSize", table.getProgramLogSize) &&
         resolve(library, "nvrtcGetProgramLog", table.getProgramLog) &&
         resolve(library, "nvrtcGetPTXSize", table.getPTXSize) && resolve(library, "nvrtcGetPTX", table.getPTX) &&
         resolve(library, "nvrtcGetCUBINSize", table.getCUBINSize) && resolve(library, "nvrtcGetCUBIN", table.getCUBIN);
}

/// NVRTC opens a second library by its name when it first compiles. Loaded beforehand from the folder of the first, it
/// is found whatever the loader's paths are (the wheels of NVRTC 13 do not name their own folder).
void loadBuiltins(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().filename().string().starts_with("libnvrtc-builtins.so"))
      ::dlopen(entry.path().c_str(), RTLD_NOW | RTLD_LOCAL); // if it fails, compiling says what is missing
}

/// The file behind a handle, also when the loader found it.
std::string loadedFile(void* library, const std::string& fallback) {
  link_map* map = nullptr;
  if (::dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 && map && map->l_name && *map->l_name)
    return map->l_name;
  return fallback;
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

Result<NvrtcLibrary> NvrtcLibrary::open(const NvrtcSearch& search) {
  if (!search.path.empty()) {
    std::error_code error;
    if (!fs::is_directory(search.path, error))
      return openFile(search.path);
    const std::string file = libraryIn(search.path);
    return file.empty() ? usageError(search.path, ": holds no libnvrtc.so.12 or .13") : openFile(file);
  }
  for (const fs::path& folder : searchFolders(search))
    if (const std::string file = libraryIn(folder); !file.empty())
      return openFile(file);
  for (const char* name : kNames)
    if (Result<NvrtcLibrary> library = openFile(name))
      return library;
  return unsupported(
      "NVRTC, which compiles the kernels, was not found beside this program, in python's packages, or by "
      "the loader; install it with `pip install nvidia-cuda-nvrtc-cu12` or name it with --nvrtc PATH");
}

Result<NvrtcLibrary> NvrtcLibrary::openFile(const std::string& file) {
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return unsupported("NVRTC cannot be loaded: ", ::dlerror());
  if (const fs::path folder = fs::path(file).parent_path(); !folder.empty())
    loadBuiltins(folder);
  auto table = std::make_shared<Functions>();
  NvrtcLibrary library;
  if (!resolveAll(handle, *table) || table->version(&library.major, &library.minor) != 0)
    return unsupported(file, ": is not an NVRTC library");
  if (library.major < 12)
    return unsupported(file, ": is NVRTC ", library.version(), "; 12 or 13 is needed");
  library.table = std::move(table);
  library.fileName = loadedFile(handle, file);
  std::error_code error;
  library.size = fs::file_size(library.fileName, error);
  if (error)
    library.size = 0;
  return library;
}

std::string NvrtcLibrary::version() const {
  return std::to_string(major) + "." + std::to_string(minor);
}

} // namespace llcuda::codegen
