// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/output_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace llcuda {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxAttempts = 100;
constexpr int kMaxLinks = 40;

/// Where the links of a path lead; what lies there need not exist.
Result<fs::path> atEndOfLinks(const std::string& path) {
  fs::path target = path;
  std::error_code error;
  for (int links = 0; fs::is_symlink(fs::symlink_status(target, error)); ++links) {
    const fs::path next = fs::read_symlink(target, error);
    if (error || links == kMaxLinks)
      return usageError(path, ": is a link that leads nowhere; an output is a regular file");
    target = next.is_absolute() ? next : target.parent_path() / next;
  }
  return target;
}

const char* kindOf(mode_t mode) {
  if (S_ISDIR(mode))
    return "a folder";
  if (S_ISFIFO(mode))
    return "a pipe";
  if (S_ISSOCK(mode))
    return "a socket";
  return "a device";
}

/// Checks that a file of this name can be made.
Result<void> checkFolder(const std::string& path, const fs::path& target) {
  if (target.filename().empty())
    return usageError(path, ": is the name of a folder; an output is a regular file");
  const fs::path parent = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::error_code error;
  if (!fs::is_directory(parent, error))
    return usageError(path, ": cannot be written: there is no folder ", parent.string());
  if (::access(parent.c_str(), W_OK | X_OK) != 0)
    return usageError(path, ": cannot be written into its folder: ", std::strerror(errno));
  return {};
}

/// The path at the end of the links of `path`, checked as checkOutput() says.
Result<fs::path> checkedTarget(const std::string& path, std::span<const InputFile> inputs) {
  LLCUDA_ASSIGN_OR_RETURN(fs::path target, atEndOfLinks(path));
  struct stat info = {};
  if (::lstat(target.c_str(), &info) == 0) {
    if (!S_ISREG(info.st_mode))
      return usageError(path, ": is ", kindOf(info.st_mode), "; an output is a regular file");
    const FileId id = {static_cast<uint64_t>(info.st_dev), static_cast<uint64_t>(info.st_ino)};
    if (const auto same = std::ranges::find(inputs, id, &InputFile::id); same != inputs.end())
      return usageError(path, ": is the input ", same->path, same->path == path ? "" : " under another name",
                        ", which would be lost; an output is a file of its own");
  }
  LLCUDA_RETURN_IF_ERROR(checkFolder(path, target));
  return target;
}

/// Makes the rename durable. A folder that cannot be synced (some network file systems) is not an error.
void syncFolderOf(const fs::path& file) {
  const int fd = ::open(file.has_parent_path() ? file.parent_path().c_str() : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  ::fsync(fd);
  ::close(fd);
}

} // namespace

Result<void> checkOutput(const std::string& path, std::span<const InputFile> inputs) {
  LLCUDA_RETURN_IF_ERROR(checkedTarget(path, inputs));
  return {};
}

Result<OutputFile> OutputFile::create(const std::string& path, std::vector<InputFile> inputs) {
  LLCUDA_ASSIGN_OR_RETURN(const fs::path target, checkedTarget(path, inputs));
  OutputFile file;
  file.name = path;
  file.inputs = std::move(inputs);
  // A name of this process; the number steps over what a killed run of the same process id left.
  for (int attempt = 0; file.fd < 0; ++attempt) {
    int error = 0;
    file.temporary = TemporaryPath::made([&] {
      std::string name = detail::concat(target.string(), ".", ::getpid(), "-", attempt, ".tmp");
      file.fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      error = errno;
      return file.fd >= 0 ? name : std::string();
    });
    if (file.fd < 0 && (error != EEXIST || attempt == kMaxAttempts))
      return usageError(path, ": cannot be written: ", std::strerror(error));
  }
  return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : name(std::move(other.name)), inputs(std::move(other.inputs)), temporary(std::move(other.temporary)),
      fd(std::exchange(other.fd, -1)), position(other.position) {}

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  std::swap(name, other.name);
  std::swap(inputs, other.inputs);
  std::swap(temporary, other.temporary);
  std::swap(fd, other.fd);
  std::swap(position, other.position);
  return *this;
}

OutputFile::~OutputFile() {
  if (fd >= 0)
    ::close(fd);
}

Error OutputFile::ioError(const char* what) const {
  return internalError(name, ": ", what, ": ", std::strerror(errno));
}

Result<void> OutputFile::writeAll(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return ioError("cannot be written");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> OutputFile::append(std::span<const std::byte> bytes) {
  LLCUDA_RETURN_IF_ERROR(writeAll(bytes));
  position += bytes.size();
  return {};
}

Result<void> OutputFile::rewriteStart(std::span<const std::byte> bytes) {
  assert(bytes.size() <= position);
  if (::lseek(fd, 0, SEEK_SET) != 0)
    return ioError("cannot be written");
  LLCUDA_RETURN_IF_ERROR(writeAll(bytes));
  if (::lseek(fd, 0, SEEK_END) < 0)
    return ioError("cannot be written");
  return {};
}

Result<void> OutputFile::commit() {
  if (::fsync(fd) != 0)
    return ioError("cannot be synced");
  if (::close(std::exchange(fd, -1)) != 0)
    return ioError("cannot be closed");
  LLCUDA_ASSIGN_OR_RETURN(const fs::path target, checkedTarget(name, inputs));
  LLCUDA_RETURN_IF_ERROR(temporary.renameTo(target.string()));
  syncFolderOf(target);
  return {};
}

Result<void> writeOutput(const std::string& path, std::string_view text, std::vector<InputFile> inputs) {
  LLCUDA_ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(path, std::move(inputs)));
  LLCUDA_RETURN_IF_ERROR(file.append(std::as_bytes(std::span(text))));
  return file.commit();
}

} // namespace llcuda
