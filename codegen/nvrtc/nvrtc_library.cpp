// SPDX-License-Identifier: Apache-2.0
#include "codegen/nvrtc/nvrtc_library.h"

#include <filesystem>

#include <dlfcn.h>
#include <link.h>

#include "codegen/nvrtc/nvrtc_search.h"

namespace llcuda::codegen {
namespace {

namespace fs = std::filesystem;

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

Result<NvrtcLibrary> NvrtcLibrary::open(const NvrtcSearch& search) {
  const std::vector<std::string> candidates = nvrtcCandidates(search);
  if (!search.path.empty())
    return candidates.empty() ? usageError(search.path, ": holds no libnvrtc.so.12 or .13") : openFile(candidates[0]);
  for (const std::string& candidate : candidates) {
    Result<NvrtcLibrary> library = openFile(candidate);
    if (library || candidate.find('/') != std::string::npos)
      return library;
  }
  return unsupported(
      "NVRTC, which compiles the kernels, was not found beside this program, in python's packages, or by "
      "the loader; install it with `pip install nvidia-cuda-nvrtc-cu12`, or name it with --nvrtc PATH or by "
      "LLCUDA_NVRTC");
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
