// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/mapped_file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>

#include "runtime/base/regular_file.h"

namespace llcuda {

Result<MappedFile> MappedFile::open(const std::string& path) {
  MappedFile mapped;
  LLCUDA_ASSIGN_OR_RETURN(mapped.file, RegularFile::open(path));
  mapped.name = path;
  mapped.size = mapped.file.bytes();
  if (mapped.size == 0)
    return mapped;
  void* address = ::mmap(nullptr, mapped.size, PROT_READ, MAP_PRIVATE, mapped.file.descriptor(), 0);
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
  std::swap(file, other.file);
  std::swap(data, other.data);
  std::swap(size, other.size);
  return *this;
}

MappedFile::~MappedFile() {
  if (size != 0)
    ::munmap(const_cast<std::byte*>(data), size);
}

Result<void> MappedFile::read(uint64_t offset, std::span<std::byte> to) const {
  const std::optional<std::size_t> got = file.read(offset, to);
  if (!got)
    return badInput(name, ": cannot be read: ", std::strerror(errno));
  if (*got < to.size())
    return badInput(name, ": has become shorter");
  return {};
}

void MappedFile::readAhead(uint64_t offset, uint64_t bytes) const {
  // A system that does not do it reads later.
  (void)::posix_fadvise(file.descriptor(), static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
}

} // namespace llcuda
