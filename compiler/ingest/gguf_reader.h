// SPDX-License-Identifier: Apache-2.0
// GGUF v2 and v3, mapped and never copied. Layout and limits: docs/formats.md.
#pragma once

#include <cstdint>
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

/// The value types of GGUF metadata, with their numbers in the file.
enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

/// "u32", "string", "array".
std::string_view ggufTypeName(GgufType type);

/// One metadata value: a view of the mapped file. Conversions answer std::nullopt when the type or the value does not
/// fit. `payload` of a scalar is its bytes, of a string its characters, of an array its elements (a string in an array
/// is a u64 length and the characters); the elements were verified when the file was opened.
class GgufValue {
public:
  GgufValue(GgufType type, std::span<const std::byte> payload) : valueType(type), data(payload) {}
  GgufValue(GgufType elementType, uint64_t count, std::span<const std::byte> payload)
      : valueType(GgufType::kArray), arrayType(elementType), elements(count), data(payload) {}

  GgufType type() const { return valueType; }
  GgufType elementType() const { return arrayType; } ///< of an array
  uint64_t count() const { return elements; }        ///< elements of an array, 1 for a scalar

  std::optional<bool> asBool() const;
  std::optional<uint64_t> asUnsigned() const; ///< any integer type with a value >= 0
  std::optional<int64_t> asSigned() const;    ///< any integer type with a value that fits
  std::optional<double> asDouble() const;     ///< f32, f64 and integers
  std::optional<std::string_view> asString() const;
  /// Element i of an array of numbers, as above, a bool counting as 0 or 1; nullopt for i >= count().
  std::optional<int64_t> signedAt(uint64_t i) const;
  std::optional<double> doubleAt(uint64_t i) const;
  /// All strings of a string array, in order.
  std::optional<std::vector<std::string_view>> asStrings() const;
  /// The encoded payload, for tools that print or compare it.
  std::span<const std::byte> payload() const { return data; }

private:
  GgufType valueType;
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
  std::vector<uint64_t> dims;      ///< 1 to 4; a scalar has one dimension of 1
  std::span<const std::byte> data; ///< exactly the bytes that type and dims need

  uint64_t elements() const;
};

class GgufFile {
public:
  /// Opens and verifies everything: limits of docs/formats.md, sizes, offsets, the file's end.
  static Result<GgufFile> open(const std::string& path);

  uint32_t version() const { return fileVersion; }
  uint64_t alignment() const { return dataAlignment; }
  std::span<const GgufEntry> metadata() const { return entries; }
  std::span<const GgufTensor> tensors() const { return tensorList; }
  const GgufValue* find(std::string_view key) const;         ///< nullptr when absent
  const GgufTensor* findTensor(std::string_view name) const; ///< nullptr when absent
  const std::string& path() const { return file.path(); }
  /// The whole file.
  std::span<const std::byte> bytes() const { return file.bytes(); }

private:
  friend class GgufParser;
  using Index = std::unordered_map<std::string_view, std::size_t>;

  MappedFile file;
  uint32_t fileVersion = 0;
  uint64_t dataAlignment = 32;
  std::vector<GgufEntry> entries;
  std::vector<GgufTensor> tensorList;
  Index entryIndex;
  Index tensorIndex;
};

} // namespace llcuda::ingest
