// SPDX-License-Identifier: Apache-2.0
// Which file a path leads to, whatever it is called.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace llcuda {

/// What the system knows a file by: the same for all names, links and spellings of it, another for every other file.
struct FileId {
  uint64_t device = 0;
  uint64_t inode = 0;

  bool operator==(const FileId&) const = default;
};

/// Of the file at the end of all links; nothing where there is none.
std::optional<FileId> fileId(const std::string& path);

/// A file that is read, by the name that a user knows, and as it was when the work began.
struct InputFile {
  std::string path;
  FileId id;
};

/// Those of `paths` that exist.
std::vector<InputFile> identified(std::span<const std::string> paths);

} // namespace llcuda
