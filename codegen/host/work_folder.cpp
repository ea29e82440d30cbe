// SPDX-License-Identifier: Apache-2.0
#include "codegen/host/work_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "runtime/base/regular_file.h"

namespace llcuda::codegen {
namespace fs = std::filesystem;

Result<WorkFolder> WorkFolder::create() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  if (error)
    return internalError("there is no folder for temporary files: ", error.message());
  std::string pattern = fs::absolute(parent, error) / "llcuda-XXXXXX"; // compilers run in it
  int cause = 0;
  TemporaryPath folder = TemporaryPath::made([&] {
    const bool made = mkdtemp(pattern.data());
    cause = errno;
    return made ? pattern : std::string();
  });
  if (folder.path().empty())
    return internalError("cannot make a folder in ", parent.string(), ": ", std::strerror(cause));
  return WorkFolder(std::move(folder));
}

Result<void> WorkFolder::write(const std::string& name, std::string_view text) const {
  const fs::path file = fs::path(path()) / name;
  std::error_code error;
  // One by one, and never the folder itself: once a signal has removed it, it must not come back.
  fs::path folder = path();
  for (const fs::path& part : fs::path(name).parent_path())
    if (!error)
      fs::create_directory(folder /= part, error);
  errno = 0;
  std::ofstream out(file, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  if (error || !out)
    return internalError("cannot write ", file.string(), ": ",
                         error ? error.message() : std::strerror(errno == 0 ? EIO : errno));
  return {};
}

Result<std::string> WorkFolder::read(const std::string& name) const {
  Result<std::string> text = readFile((fs::path(path()) / name).string());
  if (!text)
    return internalError(text.error().message); // nobody gave it
  return text;
}

} // namespace llcuda::codegen
