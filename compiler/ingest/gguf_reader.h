// SPDX-License-Identifier: Apache-2.0
// GGUF v2 and v3, mapped and never copied. Layout and limits: docs/formats.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/formats/tensor_type.h"
#include "runtime/base/mapped_file.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

/// The value types of GGUF metadata, with their numbers in the file.
enum class GgufType : uint32_t {
  kU8 = 0, kI8 = 1, kU16 = 2, kI16 = 3, kU32 = 4, kI32 = 5, kF32 = 6, kBool = 7, kString = 8, kArray = 9, kU64 = 10,
  kI64 = 11, kF64 = 12,
};

/// One metadata value: a view of the mapped file. Conversions answer std::nullopt when the type does not fit.
class GgufValue {
public:
  GgufType type() const;
  GgufType elementType() const;  ///< of an array
  uint64_t count() const;        ///< elements of an array, 1 for a scalar

  std::optional<bool> asBool() const;
  std::optional<uint64_t> asUnsigned() const;  ///< any integer type with a value >= 0
  std::optional<int64_t> asSigned() const;     ///< any integer type that fits
  std::optional<double> asDouble() const;      ///< f32, f64 and integers
  std::optional<std::string_view> asString() const;
  /// Element i of an array of numbers, as above; i < count().
  std::optional<int64_t> signedAt(uint64_t i) const;
  std::optional<double> doubleAt(uint64_t i) const;
  /// All strings of a string array, in order.
  std::optional<std::vector<std::string_view>> asStrings() const;
  /// The encoded payload, for tools that print or compare it.
  std::span<const std::byte> payload() const;

private:
  friend class GgufFile;
  GgufType valueType = GgufType::kU8;
  GgufType arrayType = GgufType::kU8;
  uint64_t elements = 1;
  std::span<const std::byte> data;
};

struct GgufEntry {
  std::string_view key;
  GgufValue value;
};

/// dims[0] is the contiguous dimension: a linear layer of `out` rows and `in` columns has dims {in, out}.
struct GgufTensor {
  std::string_view name;
  formats::TensorType type;
  std::vector<uint64_t> dims;       ///< 1 to 4
  std::span<const std::byte> data;  ///< exactly the bytes that type and dims need
};

class GgufFile {
public:
  /// Opens and verifies everything: limits of docs/formats.md, sizes, offsets, the file's end.
  static Result<GgufFile> open(const std::string& path);

  uint32_t version() const;
  uint64_t alignment() const;
  std::span<const GgufEntry> metadata() const { return entries; }
  std::span<const GgufTensor> tensors() const { return tensorList; }
  const GgufValue* find(std::string_view key) const;           ///< nullptr when absent
  const GgufTensor* findTensor(std::string_view name) const;   ///< nullptr when absent
  const std::string& path() const { return file.path(); }

private:
  MappedFile file;
  uint32_t fileVersion = 0;
  uint64_t dataAlignment = 32;
  std::vector<GgufEntry> entries;
  std::vector<GgufTensor> tensorList;
};

}  // namespace llcuda::ingest
