// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/text_stream.h"

#include <random>

#include <gtest/gtest.h>

#include "runtime/text/utf8.h"
#include "tests/runtime/text/small_tokenizers.h"

namespace llcuda::text {
namespace {

TEST(TextStream, HoldsACharacterBackUntilItIsWhole) {
  const Tokenizer tokenizer = *Tokenizer::open(kSmallSpm, smallSpmConfig());
  TextStream stream(tokenizer);
  EXPECT_EQ(stream.push(10), " a");
  EXPECT_EQ(stream.push(3), "");
  EXPECT_EQ(stream.push(4), "é");
  EXPECT_EQ(stream.push(3), "");
  EXPECT_EQ(stream.push(6), "\xEF\xBF\xBD"
                            "a"); // 0xC3 was the start of nothing
  EXPECT_EQ(stream.push(3), "");
  EXPECT_EQ(stream.finish(), "\xEF\xBF\xBD");
  EXPECT_EQ(stream.finish(), "");
}

TEST(TextStream, LeavesSpecialTokensOut) {
  const Tokenizer tokenizer = *Tokenizer::open(kSmallSpm, smallSpmConfig());
  TextStream hidden(tokenizer), shown(tokenizer, /*showSpecial=*/true);
  EXPECT_EQ(hidden.push(2), "");
  EXPECT_EQ(shown.push(2), "</s>");
  EXPECT_EQ(hidden.push(11), "<call>");
}

// However the tokens cut the bytes, the parts joined are the whole, and each part is UTF-8.
TEST(TextStream, PartsJoinToTheWhole) {
  const Tokenizer tokenizer = *Tokenizer::open(kSmallSpm, smallSpmConfig());
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    TextStream stream(tokenizer);
    std::string bytes, parts;
    for (int i = 0; i < 12; ++i) {
      const int32_t id = 3 + static_cast<int32_t>(random() % 4);
      bytes += tokenizer.piece(id);
      const std::string part = stream.push(id);
      EXPECT_TRUE(isUtf8(part));
      parts += part;
    }
    EXPECT_EQ(parts + stream.finish(), repairUtf8(bytes));
  }
}

} // namespace
} // namespace llcuda::text
