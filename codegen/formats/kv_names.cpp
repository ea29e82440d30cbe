// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/kv_names.h"

namespace llcuda {
namespace {

constexpr KvType kTypes[] = {
#define LLCUDA_KV_TYPE(enumerator, ...) KvType::enumerator,
#include "codegen/formats/kv_types.inc"
};
constexpr formats::TensorType kEncodings[] = {
#define LLCUDA_KV_TYPE(enumerator, ...) formats::TensorType::enumerator,
#include "codegen/formats/kv_types.inc"
};
constexpr std::string_view kEnumerators[] = {
#define LLCUDA_KV_TYPE(enumerator, ...) #enumerator,
#include "codegen/formats/kv_types.inc"
};

} // namespace

std::span<const KvType> kvTypes() {
  return kTypes;
}

formats::TensorType kvEncoding(KvType type) {
  return kEncodings[static_cast<size_t>(type)];
}

std::string_view kvTypeName(KvType type) {
  return formats::tensorTypeInfo(kvEncoding(type)).name;
}

std::string_view kvTypeEnumerator(KvType type) {
  return kEnumerators[static_cast<size_t>(type)];
}

std::optional<KvType> kvTypeOf(formats::TensorType encoding) {
  for (const KvType type : kTypes)
    if (kvEncoding(type) == encoding)
      return type;
  return std::nullopt;
}

std::optional<KvType> kvTypeByName(std::string_view name) {
  const std::optional<formats::TensorType> encoding = formats::tensorTypeByName(name);
  return encoding ? kvTypeOf(*encoding) : std::nullopt;
}

std::string kvTypeList() {
  std::string text;
  for (const KvType type : kTypes) {
    if (!text.empty())
      text += type == std::end(kTypes)[-1] ? " and " : ", ";
    text += kvTypeName(type);
  }
  return text;
}

} // namespace llcuda
