// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/tokenizer.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runtime/text/small_tokenizers.h"

namespace llcuda::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Ids = std::vector<int32_t>;

Tokenizer small(const char* json, TextConfig config) {
  Result<Tokenizer> tokenizer = Tokenizer::open(json, std::move(config));
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  return std::move(*tokenizer);
}
Tokenizer smallSpm() {
  return small(kSmallSpm, smallSpmConfig());
}
Tokenizer smallBpe() {
  return small(kSmallBpe, smallBpeConfig());
}

constexpr EncodeOptions kBare = {.addSpecial = false};

// "aba" without a space before it: "ab" and "ba" have one score, the left one wins; a list of merges would have ranked
// them.
TEST(Tokenizer, TiesOfScoresGoToTheLeft) {
  EXPECT_THAT(*smallSpm().encode("aba", kBare), ElementsAre(5, 8, 6));
  EXPECT_THAT(*smallSpm().encode("bab", kBare), ElementsAre(5, 9, 7));
}

TEST(Tokenizer, BosFollowsTheConfig) {
  EXPECT_THAT(*smallSpm().encode("a"), ElementsAre(1, 10));
  EXPECT_THAT(*smallSpm().encode(""), ElementsAre(1));
  EXPECT_THAT(*smallSpm().encode("", kBare), ElementsAre());
  EXPECT_THAT(*smallBpe().encode("hi"), ElementsAre(4));
}

// What no token is becomes its bytes, and a byte without a token the unknown token.
TEST(Tokenizer, BytesStandInForUnknownCharacters) {
  EXPECT_THAT(*smallSpm().encode("aé", kBare), ElementsAre(10, 3, 4));
  EXPECT_THAT(*smallSpm().encode("aü", kBare), ElementsAre(10, 3, 0));
}

TEST(Tokenizer, SpecialTokensArePlainTextWhenAsked) {
  EXPECT_THAT(*smallBpe().encode("hi<|end|>hi"), ElementsAre(4, 0, 4));
  const Ids plain = *smallBpe().encode("hi<|end|>hi", {.addSpecial = true, .parseSpecial = false});
  EXPECT_THAT(plain, ElementsAre(4, 4)); // the characters in between have no tokens
  // An added token that is not special counts in plain text too.
  EXPECT_THAT(*smallSpm().encode("a<call>a", {.addSpecial = false, .parseSpecial = false}), ElementsAre(10, 11, 10));
}

TEST(Tokenizer, ChatGetsOneBos) {
  EXPECT_THAT(*smallSpm().encodeChat("<s>a"), ElementsAre(1, 10));
  EXPECT_THAT(*smallSpm().encodeChat("a"), ElementsAre(1, 10));
  EXPECT_THAT(*smallBpe().encodeChat("hi"), ElementsAre(4));
}

TEST(Tokenizer, DecodeTakesTheSpaceOfThePrefixAway) {
  EXPECT_EQ(smallSpm().decode(Ids{1, 10, 5, 6}), "a a");
  EXPECT_EQ(smallSpm().decode(Ids{10, 2}), "a");
  EXPECT_EQ(smallSpm().decode(Ids{1, 10, 2}, /*showSpecial=*/true), "<s> a</s>");
  EXPECT_EQ(smallBpe().decode(Ids{3, 4}), " hi");
}

// Pieces are bytes: a character may be cut in two, and only the whole text is UTF-8.
TEST(Tokenizer, PiecesAreBytes) {
  EXPECT_EQ(smallSpm().piece(3), "\xC3");
  EXPECT_EQ(smallBpe().piece(3), " ");
  EXPECT_EQ(smallBpe().piece(7), "\x80");
  EXPECT_EQ(smallBpe().decode(Ids{5, 6}), "é");
  EXPECT_EQ(smallBpe().decode(Ids{5}), "\xEF\xBF\xBD");
}

TEST(Tokenizer, IdsOutsideTheVocabularyGiveNothing) {
  for (const int32_t id : {-1, 8, 1 << 30}) {
    EXPECT_EQ(smallBpe().piece(id), "");
    EXPECT_FALSE(smallBpe().isSpecial(id));
  }
  EXPECT_EQ(smallBpe().decode(Ids{4, 99, 4}), "hihi");
  EXPECT_EQ(smallBpe().vocabularySize(), 8u);
}

TEST(Tokenizer, FindsTokensByTheirText) {
  EXPECT_EQ(smallBpe().find("<|end|>"), 0);
  EXPECT_EQ(smallBpe().find("hi"), 4);
  EXPECT_EQ(smallBpe().find("none"), std::nullopt);
}

TEST(Tokenizer, BadUtf8CountsAsReplacementCharacters) {
  EXPECT_THAT(*smallBpe().encode("hi\xFFhi"), ElementsAre(4, 4)); // U+FFFD has no tokens here
  EXPECT_THAT(*smallBpe().encode(std::string_view("h\0i", 3)), ElementsAre(1, 2));
}

TEST(Tokenizer, NoVocabularyTakesIdsOnly) {
  Result<Tokenizer> tokenizer = Tokenizer::open("", TextConfig());
  ASSERT_TRUE(tokenizer.ok());
  EXPECT_EQ(tokenizer->encode("hi").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(tokenizer->vocabularySize(), 0u);
  EXPECT_EQ(tokenizer->piece(0), "");
}

Error openError(std::string json, TextConfig config = smallBpeConfig()) {
  const Result<Tokenizer> tokenizer = Tokenizer::open(json, std::move(config));
  return tokenizer ? Error{ErrorCode::kInternal, "it was opened"} : tokenizer.error();
}

TEST(Tokenizer, RefusesByName) {
  EXPECT_THAT(openError("").message, HasSubstr("tokenizer.json: EOF"));
  EXPECT_THAT(openError("{}").message, HasSubstr("missing field `model`"));
  EXPECT_EQ(openError("{\"model\":{\"type\":\"WordLevel\"}}").code, ErrorCode::kUnsupported);
  EXPECT_THAT(openError("{\"model\":{\"type\":\"WordLevel\"}}").message, HasSubstr("WordLevel"));
  EXPECT_EQ(openError(std::string(100000, '[')).code, ErrorCode::kBadInput);
  TextConfig config = smallBpeConfig();
  config.eos = 8;
  EXPECT_THAT(openError(kSmallBpe, config).message, HasSubstr("eos is token 8 of 8"));
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(Tokenizer, RefusesDamagedModels) {
  // A merge of tokens that do not exist, an id that would ask for a table of billions, a score that is none.
  EXPECT_EQ(openError(replaced(kSmallBpe, R"(["h","i"])", R"(["h","x"])")).code, ErrorCode::kBadInput);
  EXPECT_THAT(openError(replaced(kSmallBpe, R"("Ģ":7)", R"("Ģ":4294967295)")).message, HasSubstr("4294967295"));
  EXPECT_EQ(openError(replaced(kSmallSpm, R"(["ab",-3])", R"(["ab",1e99])"), smallSpmConfig()).code,
            ErrorCode::kBadInput);
  EXPECT_THAT(openError(replaced(kSmallSpm, R"(["ab",-3])", R"(["ba",-3])"), smallSpmConfig()).message,
              HasSubstr("token 9 repeats"));
  EXPECT_EQ(openError(replaced(kSmallBpe, R"("decoder":{"type":"ByteLevel")", R"("decoder":{"type":"CTC")")).code,
            ErrorCode::kBadInput);
}

// Every truncation is an error, none a crash.
TEST(Tokenizer, RefusesEveryTruncation) {
  const std::string json = kSmallSpm;
  for (size_t size = 0; size < json.size(); ++size)
    EXPECT_EQ(openError(json.substr(0, size), smallSpmConfig()).code, ErrorCode::kBadInput) << size;
}

TEST(Tokenizer, ServesSeveralThreads) {
  const Tokenizer tokenizer = smallSpm();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, plain = i % 2 == 0] {
      for (int n = 0; n < 200; ++n) {
        const Ids ids = *tokenizer.encode("ab</s>", {.addSpecial = false, .parseSpecial = !plain});
        EXPECT_EQ(ids.back() == 2, !plain);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

} // namespace
} // namespace llcuda::text
