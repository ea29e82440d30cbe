// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/file_id.h"

#include <sys/stat.h>

namespace llcuda {

std::optional<FileId> fileId(const std::string& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0)
    return std::nullopt;
  return FileId{static_cast<uint64_t>(info.st_dev), static_cast<uint64_t>(info.st_ino)};
}

std::vector<InputFile> identified(std::span<const std::string> paths) {
  std::vector<InputFile> files;
  for (const std::string& path : paths)
    if (const std::optional<FileId> id = fileId(path))
      files.push_back({path, *id});
  return files;
}

} // namespace llcuda
