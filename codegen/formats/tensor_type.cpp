// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/tensor_type.h"

#include <array>
#include <cassert>

namespace llcuda::formats {
namespace {

constexpr std::optional<WeightLayout> layoutOf(WeightLayout layout) {
  return layout;
}
constexpr std::optional<WeightLayout> layoutOf(std::nullopt_t) {
  return std::nullopt;
}

constexpr auto kTypes = [] {
  using enum WeightLayout;
  constexpr std::nullopt_t kNone = std::nullopt;
  return std::to_array<TensorTypeInfo>({
#define LLCUDA_ENCODING(enumerator, number, name, elements, bytes, Block, layout)                                      \
  {TensorType::enumerator, name, elements, bytes, layoutOf(layout)},
#include "codegen/formats/encodings.inc"
  });
}();

} // namespace

std::span<const TensorTypeInfo> tensorTypes() {
  return kTypes;
}

const TensorTypeInfo* findTensorType(uint32_t number) {
  for (const TensorTypeInfo& info : kTypes)
    if (static_cast<uint32_t>(info.type) == number)
      return &info;
  return nullptr;
}

const TensorTypeInfo& tensorTypeInfo(TensorType type) {
  const TensorTypeInfo* info = findTensorType(static_cast<uint32_t>(type));
  assert(info && "every enumerator has a row in the table");
  return *info;
}

std::optional<TensorType> tensorTypeByName(std::string_view name) {
  for (const TensorTypeInfo& info : kTypes)
    if (info.name == name)
      return info.type;
  return std::nullopt;
}

} // namespace llcuda::formats
