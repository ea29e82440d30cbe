// SPDX-License-Identifier: Apache-2.0
// A position in untrusted bytes: every read is checked against the end, and none moves past it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace llcuda::ingest {

class ByteCursor {
public:
  explicit ByteCursor(std::span<const std::byte> bytes) : bytes(bytes) {}

  uint64_t offset() const { return position; }
  uint64_t remaining() const { return bytes.size() - position; }

  /// Reads a little-endian number. False, and nothing moves, when fewer bytes are left.
  template <typename T>
  requires std::is_arithmetic_v<T>
  bool read(T& value) {
    if (remaining() < sizeof(T))
      return false;
    std::memcpy(&value, bytes.data() + position, sizeof(T));
    position += sizeof(T);
    return true;
  }

  /// The next `count` bytes. False, and nothing moves, when fewer are left.
  bool take(uint64_t count, std::span<const std::byte>& out) {
    if (remaining() < count)
      return false;
    out = bytes.subspan(position, count);
    position += count;
    return true;
  }

private:
  std::span<const std::byte> bytes;
  std::size_t position = 0;
};

} // namespace llcuda::ingest
