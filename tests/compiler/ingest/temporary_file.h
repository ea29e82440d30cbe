// SPDX-License-Identifier: Apache-2.0
// Files and folders that last as long as a test.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <unistd.h>

namespace llcuda::ingest {

inline std::string temporaryName() {
  static int counter = 0;
  return (std::filesystem::temp_directory_path() /
          ("llcuda_ingest_" + std::to_string(::getpid()) + "_" + std::to_string(counter++)))
      .string();
}

/// A new file each time: some file systems wait for the disk when a file is truncated and written again.
inline void writeFile(const std::string& path, std::string_view bytes) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// A file with these bytes, removed at the end.
class TemporaryFile {
public:
  explicit TemporaryFile(std::string_view bytes, std::string_view suffix = ".gguf")
      : name(temporaryName() + std::string(suffix)) {
    write(bytes);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove(name); }

  void write(std::string_view bytes) const { writeFile(name, bytes); }
  const std::string& path() const { return name; }

private:
  std::string name;
};

/// An empty folder, removed with all that is in it at the end.
class TemporaryFolder {
public:
  TemporaryFolder() : name(temporaryName()) { std::filesystem::create_directory(name); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(name); }

  const TemporaryFolder& write(const std::string& file, std::string_view bytes) const {
    writeFile(name + "/" + file, bytes);
    return *this;
  }
  const std::string& path() const { return name; }

private:
  std::string name;
};

} // namespace llcuda::ingest
