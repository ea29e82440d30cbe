// SPDX-License-Identifier: Apache-2.0
// The encodings a tensor can have in a file, with the numbers GGUF gives them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace llcuda::formats {

/// Numbers are ggml's. Those that GGUF lacks (NF4, FP4 of bitsandbytes) start at 1000.
enum class TensorType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ8_1 = 9,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kQ8_K = 15,
  kIQ2_XXS = 16,
  kIQ2_XS = 17,
  kIQ3_XXS = 18,
  kIQ1_S = 19,
  kIQ4_NL = 20,
  kIQ3_S = 21,
  kIQ2_S = 22,
  kIQ4_XS = 23,
  kI8 = 24,
  kI16 = 25,
  kI32 = 26,
  kI64 = 27,
  kF64 = 28,
  kIQ1_M = 29,
  kBF16 = 30,
  kTQ1_0 = 34,
  kTQ2_0 = 35,
  kMXFP4 = 39,
  kNVFP4 = 40,
  kQ1_0 = 41,
  kQ2_0 = 42,
  kNf4 = 1000,      ///< blocks of 64, codegen/formats/nf4.h
  kNf4Short = 1001, ///< blocks of 32
  kFp4 = 1002,
  kFp4Short = 1003,
};

/// Types from here on are never in a GGUF file.
constexpr uint32_t kFirstForeignType = 1000;

/// Size of one block of an encoding.
struct TensorTypeInfo {
  TensorType type;
  std::string_view name;  ///< lower case: "q4_k"
  uint32_t blockElements; ///< consecutive elements of a row
  uint32_t blockBytes;
};

/// nullptr for a number that no encoding has (also the numbers GGUF has retired).
const TensorTypeInfo* findTensorType(uint32_t number);
const TensorTypeInfo& tensorTypeInfo(TensorType type);
std::optional<TensorType> tensorTypeByName(std::string_view name);

} // namespace llcuda::formats
