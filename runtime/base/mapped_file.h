// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "runtime/base/regular_file.h"
#include "runtime/base/result.h"

namespace llcuda {

/// A file mapped read-only. The bytes stay valid while the object lives; moving it does not move them.
/// A file that another process shortens meanwhile raises SIGBUS on access, which clean_end.h makes a sentence.
class MappedFile {
public:
  /// kBadInput when the path is missing, is no regular file or cannot be read. An empty file maps to no bytes.
  static Result<MappedFile> open(const std::string& path);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data, size}; }

  /// Copies bytes from `offset` on by reading the file, which takes no page fault for each 4 KiB as the mapping does.
  /// kBadInput when it has become shorter or cannot be read. Any thread.
  Result<void> read(uint64_t offset, std::span<std::byte> to) const;

  /// Has the system begin to read these bytes into its cache, if it wants to. Any thread.
  void readAhead(uint64_t offset, uint64_t bytes) const;

  const std::string& path() const { return name; }

private:
  std::string name;
  RegularFile file;
  const std::byte* data = nullptr;
  std::size_t size = 0;
};

} // namespace llcuda
