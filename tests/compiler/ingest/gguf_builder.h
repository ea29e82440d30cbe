// SPDX-License-Identifier: Apache-2.0
// Writes GGUF bytes field by field, right or wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/ingest/gguf_reader.h"
#include "tests/compiler/ingest/temporary_file.h"

namespace llcuda::ingest {

class GgufBuilder {
public:
  /// The header. The counts are what the file claims; nothing checks them.
  explicit GgufBuilder(int64_t tensors, int64_t entries, uint32_t version = 3) {
    raw("GGUF").number(version).number(tensors).number(entries);
  }

  GgufBuilder& raw(std::string_view text) {
    bytes += text;
    return *this;
  }
  template <typename T>
  GgufBuilder& number(T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  GgufBuilder& text(std::string_view value) { return number<uint64_t>(value.size()).raw(value); }

  /// Key and type of a metadata entry; the value follows.
  GgufBuilder& key(std::string_view name, GgufType type) { return text(name).number(static_cast<uint32_t>(type)); }
  GgufBuilder& string(std::string_view name, std::string_view value) {
    return key(name, GgufType::kString).text(value);
  }
  GgufBuilder& u32(std::string_view name, uint32_t value) { return key(name, GgufType::kU32).number(value); }
  /// Key, element type and count of an array; the elements follow.
  GgufBuilder& array(std::string_view name, GgufType element, uint64_t count) {
    return key(name, GgufType::kArray).number(static_cast<uint32_t>(element)).number(count);
  }

  GgufBuilder& tensor(std::string_view name, const std::vector<int64_t>& dims, uint32_t type, uint64_t offset) {
    text(name).number(static_cast<uint32_t>(dims.size()));
    for (const int64_t dim : dims) number(dim);
    return number(type).number(offset);
  }
  GgufBuilder& pad(size_t alignment = 32) {
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
    return *this;
  }
  GgufBuilder& zeros(size_t count) {
    bytes.append(count, '\0');
    return *this;
  }

  std::string bytes;
};

} // namespace llcuda::ingest
