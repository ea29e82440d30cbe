// SPDX-License-Identifier: Apache-2.0
// NVIDIA's runtime compiler, opened at run time: no program links it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace llcuda::codegen {

/// Where NVRTC may lie: these places in their order, then the loader's; all of them for NVRTC 12, then all for 13.
struct NvrtcSearch {
  std::string path;                        ///< a library or the folder of one; when set, nothing else is searched
  std::string binaryFolder;                ///< of the running program; a package of Python may hold it
  std::vector<std::string> pythonPrefixes; ///< folders like /usr or a virtual environment, that hold lib/python3.*
};

/// The usual places, for a main(): `path` is that of --nvrtc or LLCUDA_NVRTC, `virtualEnvironment` and `home` are
/// VIRTUAL_ENV and HOME; each may be empty. Python prefixes are the virtual environment, the folders `..` (a program
/// installed into one) and `../../venv` (a build tree) of the program's, `~/.local`, `/usr/local`, `/usr`.
NvrtcSearch usualSearch(const std::string& path, const std::string& binaryFolder, const std::string& virtualEnvironment,
                        const std::string& home);

/// The same of the running program, by its environment: `given` is that of --nvrtc, or empty.
NvrtcSearch programSearch(const std::string& given);

/// NVRTC 12 or 13. Stays loaded as long as the process: it does not survive being unloaded.
class NvrtcLibrary {
public:
  struct Functions;

  /// Opens the first library that the search finds. The error names what was searched and how to get one.
  static Result<NvrtcLibrary> open(const NvrtcSearch& search);

  /// As open(search) says, for a library whose file name is known.
  static Result<NvrtcLibrary> openFile(const std::string& file);

  /// "12.9".
  std::string version() const;
  /// The file that was loaded, with its folder.
  const std::string& file() const { return fileName; }
  /// Size of that file: tells builds of one version apart.
  uint64_t fileBytes() const { return size; }
  const Functions& functions() const { return *table; }

private:
  NvrtcLibrary() = default;
  std::string fileName;
  uint64_t size = 0;
  int major = 0, minor = 0;
  std::shared_ptr<const Functions> table;
};

/// The C functions of NVRTC that are used, with the types of its interface.
struct NvrtcLibrary::Functions {
  using Program = struct ProgramTag*;
  int (*version)(int* major, int* minor);
  const char* (*getErrorString)(int result);
  int (*createProgram)(Program*, const char* source, const char* name, int headers, const char* const* texts,
                       const char* const* names);
  int (*destroyProgram)(Program*);
  int (*compileProgram)(Program, int options, const char* const* values);
  int (*getProgramLogSize)(Program, size_t*);
  int (*getProgramLog)(Program, char*);
  int (*getPTXSize)(Program, size_t*);
  int (*getPTX)(Program, char*);
  int (*getCUBINSize)(Program, size_t*);
  int (*getCUBIN)(Program, char*);
};

} // namespace llcuda::codegen
