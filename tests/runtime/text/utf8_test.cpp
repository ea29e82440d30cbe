// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/utf8.h"

#include <gtest/gtest.h>

namespace llcuda::text {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

TEST(Utf8, KnowsWellFormedText) {
  for (const std::string_view text : {"", "a", "é", "€", "😀", "\x7F", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF"})
    EXPECT_TRUE(isUtf8(text)) << text;
  EXPECT_TRUE(isUtf8(std::string_view("\0", 1)));
}

// Lone and missing continuation bytes, overlong forms, surrogates, above U+10FFFF, bytes that never occur.
TEST(Utf8, KnowsMalformedText) {
  for (const std::string_view text : {"\x80", "\xC3", "\xC3(", "\xC0\x80", "\xE0\x80\x80", "\xF0\x80\x80\x80",
                                      "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF"})
    EXPECT_FALSE(isUtf8(text));
}

TEST(Utf8, FindsTheIncompleteTail) {
  EXPECT_EQ(incompleteTail(""), 0u);
  EXPECT_EQ(incompleteTail("a"), 0u);
  EXPECT_EQ(incompleteTail("é"), 0u);
  EXPECT_EQ(incompleteTail("a\xC3"), 1u);
  EXPECT_EQ(incompleteTail("a\xE2\x82"), 2u);
  EXPECT_EQ(incompleteTail("a\xF0\x9F\x98"), 3u);
  EXPECT_EQ(incompleteTail("😀"), 0u);
  // Nothing that comes can make these whole: they are not held back.
  EXPECT_EQ(incompleteTail("\x80\x80"), 0u);
  EXPECT_EQ(incompleteTail("\xE0\x80"), 0u);
  EXPECT_EQ(incompleteTail("\xFF"), 0u);
}

// One U+FFFD for the longest start of a character, as the Unicode standard recommends.
TEST(Utf8, RepairsByMaximalParts) {
  const std::string mark(kReplacement);
  EXPECT_EQ(repairUtf8("aé😀"), "aé😀");
  EXPECT_EQ(repairUtf8("a\xFF"
                       "b"),
            "a" + mark + "b");
  EXPECT_EQ(repairUtf8("\xF0\x9F\x98"), mark);
  EXPECT_EQ(repairUtf8("\xE2\x82("), mark + "(");
  EXPECT_EQ(repairUtf8("\xED\xA0\x80"), mark + mark + mark);
}

// Two bytes at a time: repaired text is well-formed, and well-formed text is left alone.
TEST(Utf8, RepairIsWellFormedForAllPairs) {
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      const std::string text = {static_cast<char>(a), static_cast<char>(b)};
      EXPECT_TRUE(isUtf8(repairUtf8(text)));
      EXPECT_EQ(repairUtf8(text) == text, isUtf8(text));
    }
}

} // namespace
} // namespace llcuda::text
