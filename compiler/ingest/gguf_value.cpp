// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <limits>

#include "compiler/ingest/byte_cursor.h"
#include "compiler/ingest/gguf_reader.h"

namespace llcuda::ingest {
namespace {

/// Calls `use` with the number of type `type` at `bytes`, which are enough for it; `fallback` when it is not a number.
template <typename R, typename Use>
R withNumber(GgufType type, const std::byte* bytes, R fallback, Use&& use) {
  auto load = [&]<typename T>(T value) {
    std::memcpy(&value, bytes, sizeof value);
    return use(value);
  };
  switch (type) {
  case GgufType::kU8:
    return load(uint8_t{});
  case GgufType::kI8:
    return load(int8_t{});
  case GgufType::kU16:
    return load(uint16_t{});
  case GgufType::kI16:
    return load(int16_t{});
  case GgufType::kU32:
    return load(uint32_t{});
  case GgufType::kI32:
    return load(int32_t{});
  case GgufType::kU64:
    return load(uint64_t{});
  case GgufType::kI64:
    return load(int64_t{});
  case GgufType::kF32:
    return load(float{});
  case GgufType::kF64:
    return load(double{});
  case GgufType::kBool:
  case GgufType::kString:
  case GgufType::kArray:
    break;
  }
  return fallback;
}

std::optional<int64_t> signedNumber(GgufType type, const std::byte* bytes) {
  return withNumber<std::optional<int64_t>>(type, bytes, std::nullopt, []<typename T>(T v) -> std::optional<int64_t> {
    if constexpr (std::is_floating_point_v<T>)
      return std::nullopt;
    else if (std::in_range<int64_t>(v))
      return static_cast<int64_t>(v);
    return std::nullopt;
  });
}

std::optional<double> doubleNumber(GgufType type, const std::byte* bytes) {
  return withNumber<std::optional<double>>(type, bytes, std::nullopt, [](auto v) { return static_cast<double>(v); });
}

uint64_t numberBytes(GgufType type) {
  return withNumber<uint64_t>(type, reinterpret_cast<const std::byte*>("\0\0\0\0\0\0\0"), 0,
                              []<typename T>(T) { return sizeof(T); });
}

} // namespace

std::string_view ggufTypeName(GgufType type) {
  static constexpr std::string_view kNames[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                "bool", "string", "array", "u64", "i64", "f64"};
  return kNames[static_cast<uint32_t>(type)];
}

std::optional<bool> GgufValue::asBool() const {
  if (valueType != GgufType::kBool)
    return std::nullopt;
  return data[0] != std::byte{0};
}

std::optional<uint64_t> GgufValue::asUnsigned() const {
  return withNumber<std::optional<uint64_t>>(valueType, data.data(), std::nullopt,
                                             []<typename T>(T v) -> std::optional<uint64_t> {
                                               if constexpr (std::is_floating_point_v<T>)
                                                 return std::nullopt;
                                               else if (std::in_range<uint64_t>(v))
                                                 return static_cast<uint64_t>(v);
                                               return std::nullopt;
                                             });
}

std::optional<int64_t> GgufValue::asSigned() const {
  return signedNumber(valueType, data.data());
}

std::optional<double> GgufValue::asDouble() const {
  return doubleNumber(valueType, data.data());
}

std::optional<std::string_view> GgufValue::asString() const {
  if (valueType != GgufType::kString)
    return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(data.data()), data.size());
}

std::optional<int64_t> GgufValue::signedAt(uint64_t i) const {
  if (valueType != GgufType::kArray || i >= elements)
    return std::nullopt;
  if (arrayType == GgufType::kBool)
    return data[i] != std::byte{0};
  return signedNumber(arrayType, data.data() + i * numberBytes(arrayType));
}

std::optional<double> GgufValue::doubleAt(uint64_t i) const {
  if (valueType != GgufType::kArray || i >= elements)
    return std::nullopt;
  if (arrayType == GgufType::kBool)
    return data[i] != std::byte{0};
  return doubleNumber(arrayType, data.data() + i * numberBytes(arrayType));
}

std::optional<std::vector<std::string_view>> GgufValue::asStrings() const {
  if (valueType != GgufType::kArray || arrayType != GgufType::kString)
    return std::nullopt;
  std::vector<std::string_view> strings;
  strings.reserve(elements); // the file holds at least 8 bytes for each
  ByteCursor cursor(data);
  for (uint64_t i = 0; i < elements; ++i) {
    uint64_t length = 0;
    std::span<const std::byte> characters;
    if (!cursor.read(length) || !cursor.take(length, characters))
      return std::nullopt;
    strings.emplace_back(reinterpret_cast<const char*>(characters.data()), characters.size());
  }
  return strings;
}

} // namespace llcuda::ingest
