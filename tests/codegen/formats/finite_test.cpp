// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/finite.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "codegen/formats/dequantize.h"
#include "tests/codegen/random_blocks.h"

namespace llcuda::formats {
namespace {

constexpr size_t kBlocks = 5;

class Finite : public ::testing::TestWithParam<TensorType> {
protected:
  const TensorTypeInfo& info = tensorTypeInfo(GetParam());

  std::vector<std::byte> blocks(uint32_t seed) const {
    return llcuda::testing::randomTensor(GetParam(), kBlocks * info.blockElements, seed);
  }

  /// The same by decoding everything.
  std::optional<uint64_t> slowly(const std::vector<std::byte>& blocks) const {
    std::vector<float> values(kBlocks * info.blockElements);
    dequantizeRow(GetParam(), blocks.data(), values.size(), values.data());
    for (size_t i = 0; i < values.size(); ++i)
      if (!std::isfinite(values[i]))
        return i;
    return std::nullopt;
  }
};

TEST_P(Finite, SoundBlocks) {
  EXPECT_FALSE(firstNonFinite(GetParam(), blocks(1)));
}

// Bytes of any kind: scales that are NaN, infinite, or so large that the codes take them there.
TEST_P(Finite, WhatDecodingFinds) {
  bool found = false;
  for (uint32_t seed = 0; seed < 4000; ++seed) {
    std::vector<std::byte> bytes = blocks(seed % 7);
    uint32_t random = seed * 2654435761u + 12345;
    for (size_t i = 0; i < info.blockBytes; ++i) {
      random = random * 1664525 + 1013904223;
      if (random >> 28 == 0 || info.blockBytes < 8)
        bytes[3 * info.blockBytes + i] = static_cast<std::byte>(seed % 3 == 0 ? random >> 20 : 0xFFu - (random >> 27));
    }
    const auto fast = firstNonFinite(GetParam(), bytes);
    const auto slow = slowly(bytes);
    ASSERT_EQ(fast.has_value(), slow.has_value()) << seed;
    if (!slow)
      continue;
    found = true;
    EXPECT_EQ(fast->element, *slow);
    EXPECT_FALSE(std::isfinite(fast->value));
  }
  EXPECT_EQ(found, GetParam() != TensorType::kNVFP4) << "no block was not finite, so that this shows nothing";
}

INSTANTIATE_TEST_SUITE_P(AllTypes, Finite, ::testing::ValuesIn(llcuda::testing::weightTypes()),
                         [](const auto& info) { return std::string(tensorTypeInfo(info.param).name); });

} // namespace
} // namespace llcuda::formats
