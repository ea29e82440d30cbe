// SPDX-License-Identifier: Apache-2.0
#include "runtime/schema/engine_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace llcuda::schema {
namespace {

constexpr int kMaxAttempts = 100;

uint64_t roundUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

/// Makes the rename durable. A folder that cannot be synced (some network file systems) is not an error.
void syncFolder(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const int fd = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  ::fsync(fd);
  ::close(fd);
}

} // namespace

Result<EngineWriter> EngineWriter::create(const std::string& path) {
  EngineWriter writer;
  writer.target = path;
  // A name of this process; the number steps over what a killed run of the same process id left.
  for (int attempt = 0; writer.fd < 0; ++attempt) {
    std::string name = detail::concat(path, ".", ::getpid(), "-", attempt, ".tmp");
    writer.fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (writer.fd >= 0)
      writer.temporary = std::move(name);
    else if (errno != EEXIST || attempt == kMaxAttempts)
      return badInput(path, ": cannot be written: ", std::strerror(errno));
  }
  LLCUDA_RETURN_IF_ERROR(writer.pad(kSegmentAlignment));
  return writer;
}

EngineWriter::EngineWriter(EngineWriter&& other) noexcept
    : target(std::move(other.target)), temporary(std::exchange(other.temporary, {})), fd(std::exchange(other.fd, -1)),
      position(other.position), current(other.current), header(other.header), hasher(std::move(other.hasher)) {}

EngineWriter& EngineWriter::operator=(EngineWriter&& other) noexcept {
  std::swap(target, other.target);
  std::swap(temporary, other.temporary);
  std::swap(fd, other.fd);
  std::swap(position, other.position);
  std::swap(current, other.current);
  std::swap(header, other.header);
  std::swap(hasher, other.hasher);
  return *this;
}

EngineWriter::~EngineWriter() {
  if (fd >= 0)
    ::close(fd);
  if (!temporary.empty())
    ::unlink(temporary.c_str());
}

Error EngineWriter::ioError(const char* what) const {
  return internalError(target, ": ", what, ": ", std::strerror(errno));
}

Result<void> EngineWriter::writeAll(const void* bytes, std::size_t count) {
  const auto* next = static_cast<const char*>(bytes);
  while (count != 0) {
    const ssize_t written = ::write(fd, next, count);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return ioError("cannot be written");
    next += written;
    count -= static_cast<std::size_t>(written);
    position += static_cast<uint64_t>(written);
  }
  return {};
}

Result<void> EngineWriter::pad(uint64_t count) {
  static constexpr std::array<char, kSegmentAlignment> kZeros = {};
  while (count != 0) {
    const uint64_t piece = std::min<uint64_t>(count, kZeros.size());
    LLCUDA_RETURN_IF_ERROR(writeAll(kZeros.data(), piece));
    count -= piece;
  }
  return {};
}

void EngineWriter::endSegment() {
  if (current >= 0)
    header.segments[current].xxh3 = hasher.value();
}

Result<void> EngineWriter::begin(SegmentKind kind) {
  const auto wanted = static_cast<int32_t>(kind);
  assert(wanted > current && wanted < static_cast<int32_t>(kSegmentCount));
  endSegment();
  LLCUDA_RETURN_IF_ERROR(pad(roundUp(position, kSegmentAlignment) - position));
  while (current < wanted) header.segments[++current] = {position, 0, hashBytes({})};
  hasher.reset();
  return {};
}

Result<void> EngineWriter::append(std::span<const std::byte> bytes) {
  assert(current >= 0);
  LLCUDA_RETURN_IF_ERROR(writeAll(bytes.data(), bytes.size()));
  hasher.update(bytes);
  header.segments[current].bytes += bytes.size();
  return {};
}

Result<void> EngineWriter::alignTo(uint64_t alignment) {
  static constexpr std::array<std::byte, 256> kZeros = {};
  uint64_t count = roundUp(segmentBytes(), alignment) - segmentBytes();
  while (count != 0) {
    const uint64_t piece = std::min<uint64_t>(count, kZeros.size());
    LLCUDA_RETURN_IF_ERROR(append({kZeros.data(), piece}));
    count -= piece;
  }
  return {};
}

uint64_t EngineWriter::segmentBytes() const {
  assert(current >= 0);
  return header.segments[current].bytes;
}

Result<void> EngineWriter::finish() {
  endSegment();
  LLCUDA_RETURN_IF_ERROR(pad(roundUp(position, kSegmentAlignment) - position));
  while (current + 1 < static_cast<int32_t>(kSegmentCount)) header.segments[++current] = {position, 0, hashBytes({})};

  std::memcpy(header.magic, kEngineMagic, sizeof(kEngineMagic));
  header.version = kEngineVersion;
  header.segmentCount = kSegmentCount;
  header.fileBytes = position;
  header.xxh3 = hashHeader(header);
  if (::lseek(fd, 0, SEEK_SET) != 0)
    return ioError("cannot be written");
  LLCUDA_RETURN_IF_ERROR(writeAll(&header, sizeof(header)));
  if (::fsync(fd) != 0)
    return ioError("cannot be synced");
  if (::close(std::exchange(fd, -1)) != 0)
    return ioError("cannot be closed");
  if (std::rename(temporary.c_str(), target.c_str()) != 0)
    return ioError("cannot be renamed into place");
  temporary.clear();
  syncFolder(target);
  return {};
}

} // namespace llcuda::schema
