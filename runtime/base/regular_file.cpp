// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/regular_file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace llcuda {
namespace {

/// Up to `count` bytes; fewer where the file ends.
Result<std::string> readUpTo(const RegularFile& file, const std::string& path, std::size_t count) {
  std::string text(count, '\0');
  const std::optional<std::size_t> got = file.read(0, std::as_writable_bytes(std::span(text)));
  if (!got)
    return badInput(path, ": cannot be read: ", std::strerror(errno));
  text.resize(*got);
  return text;
}

} // namespace

Result<RegularFile> RegularFile::open(const std::string& path) {
  RegularFile file;
  // O_NONBLOCK: a pipe without a writer opens at once, and is refused below. Regular files do not know it.
  file.fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.fd < 0)
    return badInput(path, ": cannot be opened: ", std::strerror(errno));
  struct stat info = {};
  if (::fstat(file.fd, &info) != 0)
    return badInput(path, ": cannot be read: ", std::strerror(errno));
  if (!S_ISREG(info.st_mode))
    return badInput(path, S_ISDIR(info.st_mode) ? ": is a folder, not a file" : ": is not a regular file");
  file.size = static_cast<uint64_t>(info.st_size);
  return file;
}

RegularFile::RegularFile(RegularFile&& other) noexcept : fd(std::exchange(other.fd, -1)), size(other.size) {}

RegularFile& RegularFile::operator=(RegularFile&& other) noexcept {
  std::swap(fd, other.fd);
  std::swap(size, other.size);
  return *this;
}

RegularFile::~RegularFile() {
  if (fd >= 0)
    ::close(fd);
}

std::optional<std::size_t> RegularFile::read(uint64_t offset, std::span<std::byte> to) const {
  std::size_t done = 0;
  while (done < to.size()) {
    const ssize_t got = ::pread(fd, to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return std::nullopt;
    if (got == 0)
      break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<std::string> readFile(const std::string& path) {
  LLCUDA_ASSIGN_OR_RETURN(const RegularFile file, RegularFile::open(path));
  return readUpTo(file, path, file.bytes());
}

std::string fileStart(const std::string& path, std::size_t count) {
  const Result<RegularFile> file = RegularFile::open(path);
  if (!file)
    return {};
  Result<std::string> start = readUpTo(*file, path, count);
  return start ? *std::move(start) : std::string();
}

} // namespace llcuda
