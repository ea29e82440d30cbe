// SPDX-License-Identifier: Apache-2.0
// A safetensors file, mapped and never copied. Layout and limits: docs/formats.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "codegen/formats/tensor_type.h"
#include "runtime/base/mapped_file.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

/// An element type by the name that the file gives it.
struct SafetensorsType {
  std::string_view name; ///< "BF16"
  uint32_t bits;
  std::optional<formats::TensorType> type; ///< the same among our encodings, where there is one
};

/// nullptr for a name that the format does not have.
const SafetensorsType* findSafetensorsType(std::string_view name);

struct SafetensorsTensor {
  std::string name;
  const SafetensorsType* type = nullptr; ///< never null in a file
  std::vector<uint64_t> shape;           ///< shape[0] varies slowest: a linear layer has {out, in}; empty for a scalar
  std::span<const std::byte> data;       ///< exactly the bytes that type and shape need; not aligned

  bool is(std::string_view typeName) const { return type->name == typeName; }
  uint64_t elements() const;
};

class SafetensorsFile {
public:
  /// Opens and verifies everything but the values: the header's JSON, names, types, shapes, offsets without holes or
  /// overlaps, the file's end.
  static Result<SafetensorsFile> open(const std::string& path);

  /// In the order of their data.
  std::span<const SafetensorsTensor> tensors() const { return list; }
  const SafetensorsTensor* find(std::string_view name) const; ///< nullptr when absent
  const std::map<std::string, std::string>& metadata() const { return texts; }
  const std::string& path() const { return file.path(); }
  /// The whole file.
  std::span<const std::byte> bytes() const { return file.bytes(); }

private:
  MappedFile file;
  std::vector<SafetensorsTensor> list;
  std::unordered_map<std::string_view, std::size_t> index; // views of `list`
  std::map<std::string, std::string> texts;
};

} // namespace llcuda::ingest
