// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/json_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/compiler/ingest/temporary_file.h"

namespace llcuda::ingest {
namespace {

std::string refusal(std::string_view text, const JsonLimits& limits = {}) {
  const auto json = parseJson(text, limits);
  return json ? "read" : json.error().message;
}

TEST(JsonText, ReadsEveryKindOfValue) {
  const std::string text = R"({"a":[1,-2,2.5,"t\u00e9",true,null,{"b":{}},[]],"c":18446744073709551615})";
  const auto json = parseJson(text);
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ(*json, nlohmann::json::parse(text));
  EXPECT_EQ(*parseJson(" 7 "), 7);
}

TEST(JsonText, RefusesByName) {
  EXPECT_EQ(refusal(""), "is not JSON at its byte 1");
  EXPECT_EQ(refusal("{\"a\":1,}"), "is not JSON at its byte 8");
  EXPECT_EQ(refusal("{\"a\":{\"b\":1,\"c\":2,\"b\":1}}"), "the key 'b' comes twice");
  EXPECT_EQ(refusal("[[[]]]", {.depth = 2}), "is nested deeper than 2");
  EXPECT_EQ(refusal("[[]]", {.depth = 2}), "read");
  EXPECT_EQ(refusal("[1,2,3]", {.values = 3}), "has more than 3 values");
  EXPECT_EQ(refusal("[1,2]", {.values = 3}), "read");
  EXPECT_EQ(refusal(std::string(1'000'000, '[')), "is nested deeper than 32");
}

TEST(JsonText, FilesAreNamed) {
  const TemporaryFile file("{", ".json");
  EXPECT_EQ(readJsonFile(file.path()).error().message,
            file.path() + ": is not JSON at its byte 2; it is damaged: download it again");
  file.write("<html>");
  EXPECT_THAT(readJsonFile(file.path()).error().message, testing::HasSubstr("is an HTML page, not a JSON file"));
  EXPECT_THAT(readJsonFile(file.path() + "x").error().message, testing::HasSubstr("cannot be opened"));
}

} // namespace
} // namespace llcuda::ingest
