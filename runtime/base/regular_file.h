// SPDX-License-Identifier: Apache-2.0
// Opening and reading what must be a file: a folder is an error, and a pipe nobody writes to is not waited for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "runtime/base/result.h"

namespace llcuda {

/// A regular file that is open for reading.
class RegularFile {
public:
  /// Fails with kBadInput when the path is missing, cannot be read, or leads to anything but a regular file.
  static Result<RegularFile> open(const std::string& path);

  RegularFile() = default; ///< no file
  RegularFile(RegularFile&& other) noexcept;
  RegularFile& operator=(RegularFile&& other) noexcept;
  ~RegularFile();

  int descriptor() const { return fd; }
  uint64_t bytes() const { return size; } ///< when it was opened

  /// Fills `to` from `offset` on. How many bytes there were, fewer than that where the file ends; nothing when it
  /// cannot be read, errno says why. Any thread.
  std::optional<std::size_t> read(uint64_t offset, std::span<std::byte> to) const;

private:
  int fd = -1;
  uint64_t size = 0;
};

/// All bytes of a regular file; kBadInput as RegularFile::open() says.
Result<std::string> readFile(const std::string& path);

/// The first `count` bytes of a regular file, all of them when it has fewer; none when it cannot be read.
std::string fileStart(const std::string& path, std::size_t count);

} // namespace llcuda
