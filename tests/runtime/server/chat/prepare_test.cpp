// SPDX-License-Identifier: Apache-2.0
// Requests to prompts: messages, tools, choices, thinking, and what goes on with an answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/server/chat/answer_parser.h"
#include "runtime/server/chat/chat_format.h"
#include "runtime/text/chat_template.h"

namespace llcuda::server {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TemplateAccess accessTo(const std::string& source) {
  auto opened = text::ChatTemplate::open(source);
  EXPECT_TRUE(opened) << opened.error().message;
  auto shared = std::make_shared<text::ChatTemplate>(std::move(*opened));
  TemplateAccess access;
  access.render = [shared](const Json& variables) -> api::Expected<std::string> {
    auto text = shared->render(variables.dump(), text::ChatContext{});
    if (!text)
      return api::Error{LLCUDA_UNSUPPORTED, text.error().message};
    return *text;
  };
  return access;
}

/// Tags around calls, thinking that can be switched.
constexpr const char* kTemplate = R"({%- if tools %}tools{% for t in tools %} {{ t.function.name }}{% endfor %}
{% endif -%}
{%- for m in messages -%}
<|{{ m.role }}|>{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content -}}
{%- for c in m.tool_calls or [] %}<call>{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}</call>{% endfor -%}
<|end|>
{%- endfor -%}
{%- if add_generation_prompt %}<|assistant|>{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}{% endif -%})";

/// Neither tools nor a system role.
constexpr const char* kPlain = R"({%- for m in messages -%}
{%- if m.role not in ['user', 'assistant'] %}{{ raise_exception('role ' + m.role) }}{% endif -%}
<{{ m.role }}>{{ m.content }}</{{ m.role }}>
{%- endfor -%}{%- if add_generation_prompt %}<assistant>{% endif -%})";

ChatFormat formatOf(const char* source) {
  auto format = ChatFormat::find(accessTo(source));
  EXPECT_TRUE(format) << format.error().message;
  return *format;
}

Json user(const Json& content) {
  return {{"role", "user"}, {"content", content}};
}

Json weather() {
  return Json::array({{{"type", "function"},
                       {"function",
                        {{"name", "get_weather"},
                         {"parameters", {{"type", "object"}, {"properties", {{"city", {{"type", "string"}}}}}}}}}},
                      {{"type", "function"}, {"function", {{"name", "now"}}}}});
}

std::string textOf(const ChatFormat& format, const ChatTurn& turn) {
  const auto prompt = format.prepare(turn);
  EXPECT_TRUE(prompt) << prompt.error().message;
  return prompt ? prompt->text : "";
}

std::string errorOf(const ChatFormat& format, const ChatTurn& turn) {
  const auto prompt = format.prepare(turn);
  EXPECT_FALSE(prompt);
  return prompt ? "" : prompt.error().message;
}

TEST(Prepare, JoinsPartsAndKnowsRoles) {
  const ChatFormat format = formatOf(kTemplate);
  const Json parts = Json::array({{{"type", "text"}, {"text", "a"}}, {{"type", "text"}, {"text", "b"}}});
  EXPECT_EQ(textOf(format, {.messages = {{{"role", "developer"}, {"content", "Be brief."}}, user(parts)}}),
            "<|system|>Be brief.<|end|><|user|>a\n\nb<|end|><|assistant|>");
  // Without a system role its words stand in front of the user's.
  EXPECT_EQ(textOf(formatOf(kPlain), {.messages = {{{"role", "developer"}, {"content", "Be brief."}}, user("hi")}}),
            "<user>Be brief.\n\nhi</user><assistant>");
}

TEST(Prepare, NamesTheFieldThatIsWrong) {
  const ChatFormat format = formatOf(kTemplate);
  const Json fine = Json::array({user("hi")});
  EXPECT_THAT(errorOf(format, {.messages = "x"}), StartsWith("Field 'messages':"));
  EXPECT_THAT(errorOf(format, {.messages = Json::array()}), StartsWith("Field 'messages':"));
  EXPECT_THAT(errorOf(format, {.messages = {{{"content", "x"}}}}), StartsWith("Field 'messages[0].role':"));
  EXPECT_THAT(errorOf(format, {.messages = {user(nullptr)}}), StartsWith("Field 'messages[0].content':"));
  EXPECT_THAT(errorOf(format, {.messages = {user(Json::array({{{"type", "image_url"}}}))}}),
              StartsWith("Field 'messages[0].content[0].type': 'image_url'"));
  EXPECT_THAT(errorOf(format, {.messages = fine, .tools = 3}), StartsWith("Field 'tools':"));
  EXPECT_THAT(errorOf(format, {.messages = fine, .tools = {{{"type", "web"}}}}), StartsWith("Field 'tools[0].type':"));
  EXPECT_THAT(errorOf(format, {.messages = fine, .toolChoice = "required"}), StartsWith("Field 'tool_choice':"));
  EXPECT_THAT(errorOf(format, {.messages = fine, .tools = weather(), .toolChoice = "maybe"}),
              StartsWith("Field 'tool_choice':"));
  EXPECT_THAT(errorOf(format, {.messages = fine,
                               .tools = weather(),
                               .toolChoice = {{"type", "function"}, {"function", {{"name", "f"}}}}}),
              HasSubstr("no tool 'f'"));
  EXPECT_THAT(errorOf(format, {.messages = fine, .templateKwargs = 1}), StartsWith("Field 'chat_template_kwargs':"));
  EXPECT_THAT(errorOf(format, {.messages = fine, .continueFinalMessage = true}),
              StartsWith("Field 'continue_final_message':"));
  EXPECT_THAT(errorOf(formatOf(kPlain), {.messages = {{{"role", "narrator"}, {"content", "x"}}}}),
              HasSubstr("role narrator"));
}

TEST(Prepare, SwitchesThinking) {
  const ChatFormat format = formatOf(kTemplate);
  EXPECT_EQ(format.record().thinkingVariable, "enable_thinking");
  const Json messages = Json::array({user("hi")});
  EXPECT_THAT(textOf(format, {.messages = messages}), EndsWith("<|assistant|>"));
  EXPECT_THAT(textOf(format, {.messages = messages, .enableThinking = false}), EndsWith("<think></think>"));
  EXPECT_THAT(textOf(format, {.messages = messages, .reasoningEffort = "none"}), EndsWith("<think></think>"));
  EXPECT_THAT(textOf(format, {.messages = messages, .templateKwargs = {{"enable_thinking", false}}}),
              EndsWith("<think></think>"));
}

TEST(Prepare, GoesOnWithAnAnswer) {
  const ChatFormat format = formatOf(kTemplate);
  const Json answer = {{"role", "assistant"}, {"content", "The sky"}};
  EXPECT_THAT(textOf(format, {.messages = {user("hi"), answer}}), EndsWith("<|end|><|assistant|>The sky"));
  EXPECT_THAT(textOf(format, {.messages = {user("hi"), answer}, .addGenerationPrompt = true}),
              EndsWith("The sky<|end|><|assistant|>"));
  EXPECT_THAT(errorOf(format, {.messages = {user("hi"), answer, answer}}), HasSubstr("two messages"));
  const auto prompt = format.prepare({.messages = {user("hi"), {{"role", "assistant"}, {"reasoning_content", "Hm"}}}});
  ASSERT_TRUE(prompt) << prompt.error().message;
  EXPECT_THAT(prompt->text, EndsWith("<|assistant|><think>Hm"));
  EXPECT_TRUE(prompt->opensReasoning);
}

TEST(Prepare, ConstrainsCalls) {
  const ChatFormat format = formatOf(kTemplate);
  const Json messages = Json::array({user("hi")});
  const auto grammarOf = [&](const Json& choice) {
    const auto prompt = format.prepare({.messages = messages, .tools = weather(), .toolChoice = choice});
    EXPECT_TRUE(prompt) << prompt.error().message;
    return prompt->grammar;
  };
  const auto automatic = grammarOf("auto"), forced = grammarOf("required"), none = grammarOf("none");
  ASSERT_TRUE(automatic && forced);
  EXPECT_FALSE(none);
  EXPECT_THAT(automatic->triggers, ElementsAre("<call>"));
  EXPECT_THAT(forced->triggers, testing::IsEmpty());
  const auto named = grammarOf({{"type", "function"}, {"function", {{"name", "now"}}}});
  EXPECT_THAT(named->text, HasSubstr("now"));
  EXPECT_THAT(named->text, Not(HasSubstr("get_weather")));
  const auto allowed =
      grammarOf({{"type", "allowed_tools"},
                 {"allowed_tools",
                  {{"mode", "required"}, {"tools", {{{"type", "function"}, {"function", {{"name", "now"}}}}}}}}});
  EXPECT_THAT(allowed->text, Not(HasSubstr("get_weather")));
}

// A template without tools: the model is told of them, and the history has what it would have answered.
TEST(Prepare, TellsOfToolsItself) {
  const ChatFormat format = formatOf(kPlain);
  EXPECT_TRUE(format.record().generic);
  const Json call = {{"id", "c1"}, {"type", "function"}, {"function", {{"name", "now"}, {"arguments", "{}"}}}};
  const auto prompt =
      format.prepare({.messages = {user("hi"),
                                   {{"role", "assistant"}, {"content", nullptr}, {"tool_calls", {call}}},
                                   {{"role", "tool"}, {"tool_call_id", "c1"}, {"content", "noon"}}},
                      .tools = weather()});
  ASSERT_TRUE(prompt) << prompt.error().message;
  EXPECT_THAT(prompt->text, HasSubstr("get_weather"));
  EXPECT_THAT(prompt->text,
              HasSubstr("<assistant>{\"tool_calls\": [{\"name\": \"now\", \"arguments\": {}}]}</assistant>"));
  EXPECT_THAT(prompt->text, HasSubstr("noon"));
  const Json message = parsedMessage(*prompt, "{\"tool_calls\": [{\"name\": \"now\", \"arguments\": {\"a\": 1}}]}");
  EXPECT_EQ(message["tool_calls"][0]["function"]["arguments"], "{\"a\": 1}");
  EXPECT_TRUE(message["content"].is_null());
}

TEST(Prepare, ReadsReasoning) {
  const auto prompt = formatOf(kTemplate).prepare({.messages = {user("hi")}});
  ASSERT_TRUE(prompt) << prompt.error().message;
  Json message = parsedMessage(*prompt, "<think>Hm.</think>\n\nYes.");
  EXPECT_EQ(message["reasoning_content"], "Hm.");
  EXPECT_EQ(message["content"], "Yes.");
  ChatPrompt inContent = *prompt;
  inContent.reasoningFormat = ReasoningFormat::kNone;
  EXPECT_EQ(parsedMessage(inContent, "<think>Hm.</think>\n\nYes.")["content"], "<think>Hm.</think>\n\nYes.");
}

} // namespace
} // namespace llcuda::server
