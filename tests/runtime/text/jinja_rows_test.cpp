// SPDX-License-Identifier: Apache-2.0
// Thousands of small templates, and shapes of well known ones, beside what jinja2 wrote for them (jinja_rows.py).
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runtime/text/chat_template.h"

namespace llcuda::text {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kNow = 1718400000; // 14 or 15 June 2024; the rows were recorded in UTC

TEST(JinjaRows, AreWhatJinja2Writes) {
  ::setenv("TZ", "UTC", 1);
  std::ifstream file(LLCUDA_TEST_INPUTS "/jinja_rows.json");
  const Json recorded = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(recorded.is_object());
  ASSERT_GT(recorded["rows"].size(), 3000u);
  ChatContext now;
  now.now = kNow;
  for (const Json& row : recorded["rows"]) {
    const std::string source = row[1];
    const auto opened = ChatTemplate::open(source);
    // No messages but those of the row: the context says them.
    const auto text = opened ? opened->render(recorded["contexts"][std::string(row[0])].dump(), now)
                             : Result<std::string>(opened.error());
    if (row[2].is_null())
      EXPECT_FALSE(text.ok()) << source << "\nwrites " << *text;
    else if (!text)
      ADD_FAILURE() << source << "\n" << text.error().message;
    else
      EXPECT_EQ(*text, std::string(row[2])) << source;
  }
}

} // namespace
} // namespace llcuda::text
