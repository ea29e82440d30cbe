// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/tensor_type.h"

#include <cassert>

namespace llcuda::formats {
namespace {

using enum TensorType;

constexpr TensorTypeInfo kTypes[] = {
    {kF32, "f32", 1, 4},
    {kF16, "f16", 1, 2},
    {kQ4_0, "q4_0", 32, 18},
    {kQ4_1, "q4_1", 32, 20},
    {kQ5_0, "q5_0", 32, 22},
    {kQ5_1, "q5_1", 32, 24},
    {kQ8_0, "q8_0", 32, 34},
    {kQ8_1, "q8_1", 32, 36},
    {kQ2_K, "q2_k", 256, 84},
    {kQ3_K, "q3_k", 256, 110},
    {kQ4_K, "q4_k", 256, 144},
    {kQ5_K, "q5_k", 256, 176},
    {kQ6_K, "q6_k", 256, 210},
    {kQ8_K, "q8_k", 256, 292},
    {kIQ2_XXS, "iq2_xxs", 256, 66},
    {kIQ2_XS, "iq2_xs", 256, 74},
    {kIQ3_XXS, "iq3_xxs", 256, 98},
    {kIQ1_S, "iq1_s", 256, 50},
    {kIQ4_NL, "iq4_nl", 32, 18},
    {kIQ3_S, "iq3_s", 256, 110},
    {kIQ2_S, "iq2_s", 256, 82},
    {kIQ4_XS, "iq4_xs", 256, 136},
    {kI8, "i8", 1, 1},
    {kI16, "i16", 1, 2},
    {kI32, "i32", 1, 4},
    {kI64, "i64", 1, 8},
    {kF64, "f64", 1, 8},
    {kIQ1_M, "iq1_m", 256, 56},
    {kBF16, "bf16", 1, 2},
    {kTQ1_0, "tq1_0", 256, 54},
    {kTQ2_0, "tq2_0", 256, 66},
    {kMXFP4, "mxfp4", 32, 17},
    {kNVFP4, "nvfp4", 64, 36},
    {kQ1_0, "q1_0", 128, 18},
    {kQ2_0, "q2_0", 64, 18},
    {kNf4, "nf4", 64, 36},
    {kNf4Short, "nf4_short", 32, 20},
    {kFp4, "fp4", 64, 36},
    {kFp4Short, "fp4_short", 32, 20},
};

} // namespace

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
