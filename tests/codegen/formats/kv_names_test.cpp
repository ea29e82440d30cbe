// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/kv_names.h"

#include <type_traits>

#include <gtest/gtest.h>

namespace llcuda {
namespace {

static_assert(!std::is_default_constructible_v<KvFacts>);

TEST(KvNames, NamesAreThoseOfEncodings) {
  for (const KvType type : kvTypes()) {
    EXPECT_EQ(kvTypeByName(kvTypeName(type)), type);
    EXPECT_EQ(kvTypeOf(kvEncoding(type)), type);
  }
  EXPECT_EQ(kvTypeName(KvType::kQ5_1), "q5_1");
  EXPECT_EQ(kvTypeEnumerator(KvType::kQ5_1), "kQ5_1");
  EXPECT_EQ(kvTypeByName("q6_k"), std::nullopt);
  EXPECT_EQ(kvTypeByName("nothing"), std::nullopt);
}

// A page has the bytes of as many blocks of the encoding, in another order.
TEST(KvNames, PagesHaveTheBytesOfTheEncoding) {
  for (const KvType type : kvTypes()) {
    const formats::TensorTypeInfo& info = formats::tensorTypeInfo(kvEncoding(type));
    EXPECT_EQ(kvBlock(type), static_cast<int>(info.blockElements)) << info.name;
    EXPECT_EQ(kvHeadBytes(type, 96), static_cast<int>(kKvPageTokens * 96 / info.blockElements * info.blockBytes));
  }
}

// The list of llcuda-inspect --memory goes from the largest to the smallest.
TEST(KvNames, TheLargestComeFirst) {
  for (size_t i = 1; i < kvTypes().size(); ++i)
    EXPECT_GE(kvHeadBytes(kvTypes()[i - 1], 32), kvHeadBytes(kvTypes()[i], 32)) << kvTypeName(kvTypes()[i]);
}

TEST(KvNames, TheListEndsWithAnAnd) {
  EXPECT_TRUE(kvTypeList().starts_with("f16, "));
  EXPECT_TRUE(kvTypeList().ends_with(" and " + std::string(kvTypeName(kvTypes().back()))));
}

} // namespace
} // namespace llcuda
