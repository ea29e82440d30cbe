// SPDX-License-Identifier: Apache-2.0
// What stands in front of the tensors of a GGUF v3 file: docs/formats.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/ingest/checkpoint.h"
#include "compiler/ingest/gguf_reader.h"

namespace llcuda::ingest {

class GgufHeader {
public:
  /// Each tensor starts at a multiple of `alignment`, a power of two.
  explicit GgufHeader(uint64_t alignment) : alignment(alignment) {}

  /// An entry of another file, as it lies there.
  void add(const GgufEntry& entry);
  void addU32(std::string_view key, uint32_t value);
  void addF32(std::string_view key, float value);
  void addBool(std::string_view key, bool value);
  void addString(std::string_view key, std::string_view value);
  void addList(std::string_view key, std::span<const int32_t> values);
  void addList(std::string_view key, std::span<const float> values);
  void addList(std::string_view key, std::span<const std::string> values);
  /// The next tensor; its bytes follow those of the one before.
  void addTensor(const TensorInfo& tensor);

  /// All of it, padded to the first tensor.
  std::vector<std::byte> bytes() const;
  /// Zeros that follow so many bytes of a tensor.
  uint64_t paddingAfter(uint64_t count) const { return (alignment - count % alignment) % alignment; }

private:
  void startEntry(std::string_view key, GgufType type);
  void startList(std::string_view key, GgufType elements, uint64_t count);

  uint64_t alignment, entryCount = 0, tensorCount = 0, offset = 0;
  std::string entries, tensors; // encoded
};

} // namespace llcuda::ingest
