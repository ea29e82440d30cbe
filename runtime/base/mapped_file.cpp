// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/mapped_file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace llcuda {
namespace {

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0)
      ::close(fd);
  }
};

} // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0)
    return badInput(path, ": cannot be opened: ", std::strerror(errno));
  struct stat info = {};
  if (::fstat(file.fd, &info) != 0)
    return badInput(path, ": cannot be read: ", std::strerror(errno));
  if (!S_ISREG(info.st_mode))
    return badInput(path, ": is not a regular file");

  MappedFile mapped;
  mapped.name = path;
  mapped.size = static_cast<std::size_t>(info.st_size);
  if (mapped.size == 0)
    return mapped;
  void* address = ::mmap(nullptr, mapped.size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (address == MAP_FAILED) {
    mapped.size = 0;
    return badInput(path, ": cannot be mapped: ", std::strerror(errno));
  }
  mapped.data = static_cast<const std::byte*>(address);
  return mapped;
}

MappedFile::MappedFile(MappedFile&& other) noexcept {
  *this = std::move(other);
}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(name, other.name);
  std::swap(data, other.data);
  std::swap(size, other.size);
  return *this;
}

MappedFile::~MappedFile() {
  if (size != 0)
    ::munmap(const_cast<std::byte*>(data), size);
}

} // namespace llcuda
