// SPDX-License-Identifier: Apache-2.0
#include "tools/engine-cache/engine_cache.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

#include "runtime/base/mapped_file.h"
#include "runtime/schema/engine_hash.h"

namespace llcuda::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours kAbandoned{24};

/// What changes with a file: nobody reads gigabytes before each start.
std::string stampOf(const std::string& path) {
  std::error_code ignored;
  const std::string whole = fs::weakly_canonical(path, ignored).string();
  struct stat info = {};
  if (::stat(whole.c_str(), &info) != 0)
    return whole + " is gone\n";
  return detail::concat(whole, ' ', info.st_size, ' ', info.st_mtim.tv_sec, ' ', info.st_mtim.tv_nsec, ' ', info.st_dev,
                        ' ', info.st_ino, '\n');
}

struct CachedFile {
  fs::path path;
  fs::file_time_type used;
  uint64_t bytes = 0;
};

/// The files of the folder with this extension, the one used longest ago first.
std::vector<CachedFile> filesOf(const std::string& folder, const char* extension) {
  std::vector<CachedFile> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    std::error_code gone;
    if (entry.path().extension() == extension && entry.is_regular_file(gone))
      files.push_back({entry.path(), entry.last_write_time(gone), entry.file_size(gone)});
  }
  std::ranges::sort(files, {}, &CachedFile::used);
  return files;
}

} // namespace

Result<std::string> engineCacheFolder() {
  fs::path folder;
  if (const char* caches = std::getenv("XDG_CACHE_HOME"); caches && *caches)
    folder = fs::path(caches) / "llcuda" / "engines";
  else if (const char* home = std::getenv("HOME"); home && *home)
    folder = fs::path(home) / ".cache" / "llcuda" / "engines";
  else
    return usageError("neither XDG_CACHE_HOME nor HOME says where the compiled engine can be kept");
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return badInput(folder.string(), ": cannot be made: ", error.message());
  return folder.string();
}

Result<std::string> cachedEngineName(const std::string& model, std::span<const std::string> inputs,
                                     const std::string& compiler, std::span<const std::string> flags) {
  LLCUDA_ASSIGN_OR_RETURN(const MappedFile program, MappedFile::open(compiler));
  std::error_code ignored;
  const fs::path whole = fs::weakly_canonical(model, ignored);
  std::ostringstream key;
  key << whole.string() << '\n' << schema::hashBytes(program.bytes()) << '\n';
  for (const std::string& flag : flags) key << flag << '\n';
  for (const std::string& file : inputs) key << stampOf(file);
  char digits[17];
  std::snprintf(digits, sizeof(digits), "%016llx",
                static_cast<unsigned long long>(schema::hashBytes(std::as_bytes(std::span(key.view())))));
  return (fs::is_directory(whole, ignored) ? whole.filename() : whole.stem()).string() + "-" + digits + ".engine";
}

void keepCacheSmall(const std::string& folder, const std::string& used, uint64_t maxBytes) {
  ::utimensat(AT_FDCWD, used.c_str(), nullptr, 0); // now
  std::error_code ignored;                         // another program may have removed the same file
  uint64_t bytes = 0;
  const std::vector<CachedFile> engines = filesOf(folder, ".engine");
  for (const CachedFile& engine : engines) bytes += engine.bytes;
  for (const CachedFile& engine : engines) {
    if (bytes <= maxBytes)
      break;
    if (engine.path != used && fs::remove(engine.path, ignored))
      bytes -= engine.bytes;
  }
  for (const CachedFile& file : filesOf(folder, ".tmp"))
    if (fs::file_time_type::clock::now() - file.used > kAbandoned)
      fs::remove(file.path, ignored);
}

} // namespace llcuda::tools
