// SPDX-License-Identifier: Apache-2.0
// Opening and reading what must be a file: a folder is an error, and a pipe nobody writes to is not waited for.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.h"

namespace llcuda {

/// A regular file that is open for reading.
class RegularFile {
public:
  /// Fails with kBadInput when the path is missing, cannot be read, or leads to anything but a regular file.
  static Result<RegularFile> open(const std::string& path);

  RegularFile(RegularFile&& other) noexcept;
  RegularFile& operator=(RegularFile&&) = delete;
  ~RegularFile();

  int descriptor() const { return fd; }
  uint64_t bytes() const { return size; } ///< when it was opened

private:
  RegularFile() = default;

  int fd = -1;
  uint64_t size = 0;
};

/// All bytes of a regular file; kBadInput as RegularFile::open() says.
Result<std::string> readFile(const std::string& path);

/// The first `count` bytes of a regular file, all of them when it has fewer; none when it cannot be read.
std::string fileStart(const std::string& path, std::size_t count);

} // namespace llcuda
