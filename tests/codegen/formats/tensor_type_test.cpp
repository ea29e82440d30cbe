// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/tensor_type.h"

#include <gtest/gtest.h>

#include "codegen/formats/dequantize.h"

namespace llcuda::formats {
namespace {

// Numbers that GGUF gave up must stay unknown: their blocks have other layouts than today's encodings.
TEST(TensorType, RetiredNumbersAreUnknown) {
  for (const uint32_t retired : {4u, 5u, 31u, 32u, 33u, 36u, 37u, 38u, 43u, 0xFFFFFFFFu})
    EXPECT_EQ(findTensorType(retired), nullptr) << retired;
}

TEST(TensorType, NamesAndNumbersLeadToTheSameRow) {
  for (uint32_t number = 0; number < 43; ++number) {
    const TensorTypeInfo* info = findTensorType(number);
    if (!info)
      continue;
    EXPECT_EQ(static_cast<uint32_t>(info->type), number);
    EXPECT_EQ(tensorTypeByName(info->name), info->type);
  }
  EXPECT_EQ(tensorTypeByName("q4_2"), std::nullopt);
}

TEST(Dequantize, IntegersHaveNoCodec) {
  for (const TensorType type : {TensorType::kI8, TensorType::kI32, TensorType::kQ8_1})
    EXPECT_FALSE(canDequantize(type)) << tensorTypeInfo(type).name;
}

} // namespace
} // namespace llcuda::formats
