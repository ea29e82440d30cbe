// SPDX-License-Identifier: Apache-2.0
// The encodings a tensor can have in a file, with the numbers GGUF gives them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "codegen/formats/weight_layout.h"

namespace llcuda::formats {

/// Numbers are ggml's; encodings.inc has what is known of each.
enum class TensorType : uint32_t {
#define LLCUDA_ENCODING(enumerator, number, ...) enumerator = number,
#include "codegen/formats/encodings.inc"
};

/// Types from here on are never in a GGUF file.
constexpr uint32_t kFirstForeignType = 1000;

/// Size of one block of an encoding.
struct TensorTypeInfo {
  TensorType type;
  std::string_view name;  ///< lower case: "q4_k"
  uint32_t blockElements; ///< consecutive elements of a row
  uint32_t blockBytes;
  /// In which a weight of this encoding keeps its values exactly; none: no weight has it. Encodings without kernels of
  /// their own become s8_planes, which are larger than the file.
  std::optional<WeightLayout> layout;
};

/// All of them, by their numbers.
std::span<const TensorTypeInfo> tensorTypes();

/// nullptr for a number that no encoding has (also the numbers GGUF has retired).
const TensorTypeInfo* findTensorType(uint32_t number);
const TensorTypeInfo& tensorTypeInfo(TensorType type);
std::optional<TensorType> tensorTypeByName(std::string_view name);

} // namespace llcuda::formats
