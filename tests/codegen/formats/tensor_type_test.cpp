// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/tensor_type.h"

#include <type_traits>

#include <gtest/gtest.h>

#include "codegen/formats/dequantize.h"

namespace llcuda::formats {
namespace {

// A row of the table that leaves a fact out does not compile: no fact has a value of its own accord.
static_assert(!std::is_default_constructible_v<Stated<unsigned>> && !std::is_default_constructible_v<WeightFacts>);

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

TEST(TensorType, WeightsHaveALayout) {
  EXPECT_EQ(tensorTypeInfo(TensorType::kQ4_1).layout, WeightLayout::kQ4_1Planes);
  EXPECT_EQ(tensorTypeInfo(TensorType::kBF16).layout, WeightLayout::kF32Rows);
  EXPECT_EQ(tensorTypeInfo(TensorType::kI32).layout, std::nullopt);
  EXPECT_EQ(tensorTypeInfo(TensorType::kQ8_1).layout, std::nullopt);
}

// A weight is read by its codec wherever no kernel reads it: by the interpreter, by packers, by tests.
TEST(Dequantize, WhatIsAWeightHasACodec) {
  for (const TensorTypeInfo& info : tensorTypes())
    EXPECT_EQ(canDequantize(info.type), info.layout.has_value()) << info.name;
}

// Whether a weight is multiplied with int8 rows is a fact of its layout: a quantised encoding has int8 rows, and no
// other.
TEST(TensorType, QuantisedWeightsTakeInt8Rows) {
  for (const TensorTypeInfo& info : tensorTypes())
    if (info.layout) {
      EXPECT_EQ(weightReadsInt8Rows(*info.layout), info.blockElements > 1) << info.name;
    }
}

} // namespace
} // namespace llcuda::formats
