// SPDX-License-Identifier: Apache-2.0
// The chat templates of well known models, beside what jinja2 wrote with them (template_rows.py).
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <xxhash.h>

#include "runtime/text/chat_template.h"
#include "tests/runtime/text/model_templates.h"

namespace llcuda::text {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kNow = 1718400000 - 2 * 3600 - 40 * 60; // 14 June 2024, 21:20 in UTC

std::string hashOf(const std::string& text) {
  char digits[17];
  std::snprintf(digits, sizeof(digits), "%016" PRIx64, static_cast<uint64_t>(XXH64(text.data(), text.size(), 0)));
  return digits;
}

TEST(TemplateRows, AreWhatJinja2Writes) {
  ::setenv("TZ", "UTC", 1);
  std::ifstream file(LLCUDA_TEST_INPUTS "/template_rows.json");
  const Json recorded = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(recorded.is_object());
  const auto& templates = test::modelTemplates();
  ASSERT_EQ(templates.size(), 71u);
  std::map<std::string, int> rows;
  ChatContext now;
  now.now = kNow;
  for (const Json& row : recorded["rows"]) {
    const std::string name = row[0], context = row[1];
    ++rows[name];
    ASSERT_TRUE(templates.contains(name)) << name;
    const auto opened = ChatTemplate::open(templates.at(name));
    const auto text =
        opened ? opened->render(recorded["contexts"][context].dump(), now) : Result<std::string>(opened.error());
    if (row[2].is_null())
      EXPECT_FALSE(text.ok()) << name << ", " << context << "\nwrites " << *text;
    else if (!text)
      ADD_FAILURE() << name << ", " << context << "\n" << text.error().message;
    else
      EXPECT_EQ(hashOf(*text), std::string(row[2])) << name << ", " << context << "\n" << *text;
  }
  EXPECT_EQ(rows.size(), templates.size());
}

} // namespace
} // namespace llcuda::text
