// SPDX-License-Identifier: Apache-2.0
#include "codegen/host/work_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace llcuda::codegen {
namespace fs = std::filesystem;

Result<WorkFolder> WorkFolder::create() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  if (error)
    return internalError("there is no folder for temporary files: ", error.message());
  std::string pattern = parent / "llcuda-XXXXXX";
  if (!mkdtemp(pattern.data()))
    return internalError("cannot make a folder in ", parent.string(), ": ", std::strerror(errno));
  WorkFolder result;
  result.folder = pattern;
  return result;
}

WorkFolder::WorkFolder(WorkFolder&& other) noexcept : folder(std::exchange(other.folder, {})) {}

WorkFolder::~WorkFolder() {
  std::error_code ignored; // what cannot be removed stays in the folder for temporary files
  if (!folder.empty())
    fs::remove_all(folder, ignored);
}

Result<void> WorkFolder::write(const std::string& name, std::string_view text) const {
  const fs::path file = fs::path(folder) / name;
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  std::ofstream out(file, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (error || !out)
    return internalError("cannot write ", file.string(), error ? ": " + error.message() : "");
  return {};
}

Result<std::string> WorkFolder::read(const std::string& name) const {
  const fs::path file = fs::path(folder) / name;
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || !text)
    return internalError("cannot read ", file.string());
  return std::move(text).str();
}

} // namespace llcuda::codegen
