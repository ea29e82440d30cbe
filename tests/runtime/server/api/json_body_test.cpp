// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/json_body.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string faultOf(std::string_view text) {
  const Checked<Json> body = parseBody(text);
  if (body)
    return "taken";
  EXPECT_EQ(body.error().status, 400);
  return body.error().message;
}

std::string nested(std::size_t depth) {
  return R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
}

TEST(JsonBody, AnObjectIsTaken) {
  const Checked<Json> body = parseBody(R"({"prompt":"a\u00e9\ud83d\ude00","n":1})");
  ASSERT_TRUE(body);
  EXPECT_EQ((*body)["prompt"], "aé😀");
}

// A depth of ten thousand would cost stack in every recursive reader behind.
TEST(JsonBody, DepthIsLimited) {
  EXPECT_EQ(faultOf(nested(63)), "taken");
  EXPECT_THAT(faultOf(nested(64)), HasSubstr("more than 64 levels"));
  EXPECT_THAT(faultOf(nested(10'000)), HasSubstr("more than 64 levels"));
}

TEST(JsonBody, ValuesAreLimited) {
  std::string list = R"({"a":[0)";
  for (int i = 0; i < 99'990; ++i) list += ",0";
  EXPECT_EQ(faultOf(list + "]}"), "taken");
  for (int i = 0; i < 10; ++i) list += ",0";
  EXPECT_THAT(faultOf(list + "]}"), HasSubstr("more than 100000 values"));
}

// Strings go to tokenizers and templates, which take UTF-8 for granted.
TEST(JsonBody, TextIsUtf8) {
  EXPECT_THAT(faultOf("{\"prompt\":\"\xff\"}"), HasSubstr("UTF-8"));
  EXPECT_THAT(faultOf("{\"prompt\":\"\xed\xa0\x80\"}"), HasSubstr("UTF-8"));
  EXPECT_THAT(faultOf("{\"prompt\":\"\xc3\"}"), HasSubstr("UTF-8"));
}

TEST(JsonBody, HalfASurrogatePairIsRefused) {
  EXPECT_NE(faultOf(R"({"prompt":"\ud83d"})"), "taken");
  EXPECT_NE(faultOf(R"({"prompt":"\ude00"})"), "taken");
  EXPECT_NE(faultOf(R"({"prompt":"\ud83dx"})"), "taken");
}

// Sentences say where, and not which library found it.
TEST(JsonBody, SentencesAreOurs) {
  for (const char* text : {"", "{", "nonsense", "{\"a\":1e999}", "{\"a\":}", "{\"a\":1}}", "\0"}) {
    const std::string fault = faultOf(text);
    EXPECT_THAT(fault, AllOf(Not(HasSubstr("json.exception")), Not(HasSubstr("nlohmann")), HasSubstr("body"))) << text;
  }
  EXPECT_THAT(faultOf("{\"a\":1e999}"), HasSubstr("no float holds"));
}

TEST(JsonBody, OnlyObjectsAreBodies) {
  for (const char* text : {"[]", "5", "\"a\"", "null", "true"}) EXPECT_THAT(faultOf(text), HasSubstr("no JSON object"));
}

} // namespace
} // namespace llcuda::server
