// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace llcuda::codegen {

/// Length-prefixed strings and numbers, little-endian as the machine is.
class WireWriter {
public:
  void number(uint64_t value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void text(std::string_view value) {
    number(value.size());
    bytes += value;
  }
  std::string take() { return std::move(bytes); }

private:
  std::string bytes;
};

/// Reads what WireWriter wrote. After a read past the end `ok()` is false and every value empty.
class WireReader {
public:
  explicit WireReader(std::string_view bytes) : rest(bytes) {}
  uint64_t number();
  std::string_view text();
  bool ok() const { return good; }
  bool atEnd() const { return good && rest.empty(); }

private:
  std::string_view rest;
  bool good = true;
};

} // namespace llcuda::codegen
