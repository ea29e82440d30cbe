// SPDX-License-Identifier: Apache-2.0
// The formats of well known chat templates: found, compared with a table, and gone round: a call that the template
// wrote is read again, however its text is cut.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/server/chat/answer_parser.h"
#include "runtime/server/chat/marks.h"
#include "runtime/text/chat_template.h"
#include "tests/runtime/text/model_templates.h"

namespace llcuda::server {
namespace {

using testing::HasSubstr;

/// A template without a model around it.
TemplateAccess accessTo(const std::string& source) {
  auto opened = text::ChatTemplate::open(source);
  EXPECT_TRUE(opened) << opened.error().message;
  auto shared = std::make_shared<text::ChatTemplate>(std::move(*opened));
  TemplateAccess access;
  access.render = [shared](const Json& variables) -> api::Expected<std::string> {
    text::ChatContext context;
    context.bosToken = "<BOS>";
    context.eosToken = "<EOS>";
    context.now = 1718400000;
    auto text = shared->render(variables.dump(), context);
    if (!text)
      return api::Error{LLCUDA_UNSUPPORTED, text.error().message};
    return *text;
  };
  return access;
}

const std::map<std::string, ChatFormat>& formats() {
  static const auto all = [] {
    std::map<std::string, ChatFormat> result;
    for (const auto& [name, source] : test::modelTemplates()) {
      auto format = ChatFormat::find(accessTo(source));
      if (format)
        result.emplace(name, std::move(*format));
      else
        ADD_FAILURE() << name << ": " << format.error().message;
    }
    return result;
  }();
  return all;
}

Json recordedFormats() {
  std::ifstream file(LLCUDA_TEST_CHAT "/formats.json");
  return Json::parse(file, nullptr, /*allow_exceptions=*/false);
}

/// With LLCUDA_RECORD a file of this name gets what is found, to be looked at before it is kept.
TEST(ChatFormats, AreThoseOfTheTable) {
  if (const char* file = std::getenv("LLCUDA_RECORD")) {
    std::ofstream out(file);
    std::string lines;
    for (const auto& [name, format] : formats())
      lines += (lines.empty() ? "" : ",\n") + Json(name).dump() + ": " + describe(format.record());
    out << "{\n" << lines << "\n}\n";
  }
  const Json table = recordedFormats();
  ASSERT_TRUE(table.is_object());
  EXPECT_EQ(table.size(), formats().size());
  for (const auto& [name, format] : formats())
    EXPECT_EQ(Json::parse(describe(format.record())), table.value(name, Json())) << name;
}

Json parameters() {
  return {{"type", "object"},
          {"properties",
           {{"city", {{"type", "string"}, {"description", "d"}}},
            {"days", {{"type", "integer"}, {"description", "d"}}},
            {"exact", {{"type", "boolean"}, {"description", "d"}}},
            {"number", {{"type", "string"}, {"description", "d"}}},
            {"places",
             {{"type", "array"},
              {"description", "d"},
              {"items", {{"type", "object"}, {"properties", {{"x", {{"type", "number"}}}}}}}}}}},
          {"required", {"city"}}};
}

Json tools() {
  Json result = Json::array();
  for (const char* name : {"get_weather", "set_alarm"})
    result.push_back(
        {{"type", "function"}, {"function", {{"name", name}, {"description", "d"}, {"parameters", parameters()}}}});
  return result;
}

Json call(const std::string& id, const std::string& name, const Json& arguments) {
  return {{"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", arguments.dump()}}}};
}

constexpr const char* kThought = "First think.\nThen call.";
const Json kUser = {{"role", "user"}, {"content", "zqUserzq"}};

/// What the template writes for this message as an answer to a prompt: the text behind the prompt. A history may open
/// reasoning where the prompt does not, or the other way round: the prompt is set right.
std::string answerText(const ChatFormat& format, ChatPrompt& prompt, Json message) {
  ChatTurn turn;
  turn.messages = Json::array({kUser, std::move(message)});
  turn.tools = tools();
  turn.addGenerationPrompt = false;
  turn.continueFinalMessage = false;
  const auto whole = format.prepare(turn);
  EXPECT_TRUE(whole) << whole.error().message;
  if (!whole)
    return {};
  // Behind the user's words, and behind as much of the prompt as the template writes in a history.
  const std::string text = whole->text.substr(whole->text.rfind("zqUserzq") + 8);
  const std::string opening = prompt.text.substr(prompt.text.rfind("zqUserzq") + 8);
  const std::size_t common = commonPrefix(text, opening);
  prompt.opensReasoning = trimmedLeft(std::string_view(text).substr(common)).starts_with(kThought);
  return text.substr(common);
}

struct Answer {
  std::string content, reasoning;
  std::vector<std::pair<std::string, std::string>> calls; ///< name, arguments
  std::vector<std::string> ids;

  void add(const std::vector<Delta>& deltas) {
    for (const Delta& delta : deltas) {
      EXPECT_TRUE(delta.kind == Delta::Kind::kCallBegin || !delta.text.empty());
      switch (delta.kind) {
      case Delta::Kind::kContent:
        content += delta.text;
        break;
      case Delta::Kind::kReasoning:
        reasoning += delta.text;
        break;
      case Delta::Kind::kCallBegin:
        EXPECT_EQ(delta.call, calls.size());
        calls.emplace_back(delta.name, "");
        ids.push_back(delta.id);
        break;
      case Delta::Kind::kCallArguments:
        ASSERT_EQ(delta.call + 1, calls.size());
        calls.back().second += delta.text;
        break;
      }
    }
  }
  bool operator==(const Answer& other) const {
    return content == other.content && reasoning == other.reasoning && calls == other.calls;
  }
};

std::string shown(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::ostream& operator<<(std::ostream& out, const Answer& answer) {
  out << "content " << shown(answer.content) << " reasoning " << shown(answer.reasoning);
  for (const auto& [name, arguments] : answer.calls) out << " call " << name << arguments;
  return out;
}

Answer parsed(const ChatPrompt& prompt, const std::vector<std::string>& pieces) {
  AnswerParser parser(prompt);
  Answer answer;
  for (const std::string& piece : pieces) answer.add(parser.push(piece));
  answer.add(parser.finish());
  EXPECT_EQ(parser.calls(), answer.calls.size());
  return answer;
}

std::vector<std::string> cut(const std::string& text, std::mt19937& random) {
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::uniform_int_distribution<std::size_t>(1, 7)(random);
    pieces.push_back(text.substr(at, length));
    at += length;
  }
  return pieces;
}

const Json kArguments[] = {
    {{"city", "Zürich \"x\" & <b>y</b>\nz"},
     {"days", 2},
     {"exact", true},
     {"number", "42"},
     {"places", {{{"x", 1.5}}}}},
    {{"city", "Oslo"}},
};

/// Writes lists and objects in tags of its own, which are read as text.
constexpr const char* kOwnLists = "MiniMax-M3";

/// Content, reasoning and calls come back as they were, whole and in random pieces.
TEST(ChatFormats, CallsComeBack) {
  std::mt19937 random(7);
  int written = 0;
  for (const auto& [name, format] : formats()) {
    SCOPED_TRACE(name);
    const FormatRecord& record = format.record();
    ChatTurn turn;
    turn.messages = Json::array({kUser});
    turn.tools = tools();
    auto prompt = format.prepare(turn);
    ASSERT_TRUE(prompt) << prompt.error().message;
    const int most = record.parallel ? 2 : 1;
    for (int count = 1; count <= most; ++count) {
      Json message = {{"role", "assistant"}, {"content", nullptr}};
      for (int i = 0; i < count; ++i)
        message["tool_calls"].push_back(
            call("abcdefgh" + std::to_string(i), i == 0 ? "get_weather" : "set_alarm", kArguments[i]));
      const bool thinks = !record.reasoningField.empty() && record.reasoningField != "content";
      if (thinks)
        message["reasoning_content"] = kThought;
      const std::string text = answerText(format, *prompt, message);
      const Answer whole = parsed(*prompt, {text});
      EXPECT_EQ(whole.calls.size(), static_cast<std::size_t>(count)) << text << "\n" << whole;
      if (whole.calls.size() != static_cast<std::size_t>(count))
        continue;
      for (int i = 0; i < count; ++i) {
        EXPECT_EQ(whole.calls[i].first, i == 0 ? "get_weather" : "set_alarm");
        Json arguments = Json::parse(whole.calls[i].second, nullptr, false), expected = kArguments[i];
        if (name == kOwnLists && arguments.is_object()) {
          arguments.erase("places");
          expected.erase("places");
        }
        EXPECT_EQ(arguments, expected) << text << "\n" << whole;
        EXPECT_EQ(whole.ids[i].size(), record.idLength ? 9u : whole.ids[i].starts_with("call_") ? 29u : 9u);
      }
      if (thinks) {
        EXPECT_EQ(whole.reasoning, kThought) << text;
      }
      ++written;
      for (int round = 0; round < 20; ++round) {
        const auto pieces = cut(text, random);
        EXPECT_EQ(parsed(*prompt, pieces), whole) << text;
      }
      // Cut off anywhere: nothing but less of the same calls.
      for (std::size_t length = 0; length < text.size(); length += 3) {
        const Answer part = parsed(*prompt, cut(text.substr(0, length), random));
        EXPECT_LE(part.calls.size(), whole.calls.size());
      }
    }
  }
  EXPECT_GT(written, 100);
}

/// Plain answers stay as they are.
TEST(ChatFormats, PlainAnswersStay) {
  std::mt19937 random(11);
  for (const auto& [name, format] : formats()) {
    SCOPED_TRACE(name);
    ChatTurn turn;
    turn.messages = Json::array({kUser});
    turn.tools = tools();
    turn.enableThinking = false;
    const auto prompt = format.prepare(turn);
    ASSERT_TRUE(prompt) << prompt.error().message;
    if (prompt->opensReasoning)
      continue;
    for (const std::string& text : {std::string(" Hello <b>world</b> [1] {\"a\": 1}\n\n  x < y\n"),
                                    std::string("{\"name\": \"nobody\", \"parameters\": {}}"), std::string("[]"),
                                    std::string("<"), std::string("\n")}) {
      const Answer answer = parsed(*prompt, cut(text, random));
      EXPECT_EQ(answer.content, text);
      EXPECT_EQ(answer.calls.size(), 0u);
    }
  }
}

/// Random bytes, and parts of real answers in any order, are read to the end; pieces make no difference.
TEST(ChatFormats, AnythingIsRead) {
  std::mt19937 random(13);
  for (const auto& [name, format] : formats()) {
    SCOPED_TRACE(name);
    const FormatRecord& record = format.record();
    ChatTurn turn;
    turn.messages = Json::array({kUser});
    turn.tools = tools();
    const auto prompt = format.prepare(turn);
    ASSERT_TRUE(prompt) << prompt.error().message;
    std::vector<std::string> words = {"get_weather",
                                      "city",
                                      "{",
                                      "}",
                                      "\"",
                                      ":",
                                      "\n",
                                      " ",
                                      "<",
                                      "[",
                                      "]",
                                      "\xff",
                                      "é",
                                      "word ",
                                      "\\",
                                      "1",
                                      ",",
                                      record.section,
                                      record.sectionEnd,
                                      record.separator,
                                      record.reasoning,
                                      record.reasoningEnd,
                                      record.contentBegin,
                                      record.contentEnd,
                                      record.argument.begin,
                                      record.argument.middle,
                                      record.argument.end,
                                      record.quote};
    for (const CallPart& part : record.call) words.push_back(part.text);
    for (int round = 0; round < 60; ++round) {
      std::string text;
      for (int i = 0; i < 30; ++i)
        text += words[std::uniform_int_distribution<std::size_t>(0, words.size() - 1)(random)];
      const Answer whole = parsed(*prompt, {text});
      EXPECT_EQ(parsed(*prompt, cut(text, random)), whole) << shown(text);
      // Without calls and reasoning nothing is taken away.
      ChatPrompt plain = *prompt;
      plain.tools.clear();
      plain.opensReasoning = false;
      plain.reasoningFormat = ReasoningFormat::kNone;
      if (record.contentBegin.empty() && record.contentEnd.empty()) {
        EXPECT_EQ(parsed(plain, cut(text, random)).content, text);
      }
    }
  }
}

} // namespace
} // namespace llcuda::server
