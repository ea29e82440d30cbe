// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/chat_template.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::text {
namespace {

using testing::HasSubstr;

/// What a template writes, or the message of its error behind "error: ".
std::string rendered(std::string_view source, std::string_view context = "{}", int64_t now = 0) {
  const Result<ChatTemplate> chatTemplate = ChatTemplate::open(source);
  if (!chatTemplate)
    return "error: " + chatTemplate.error().message;
  const Result<std::string> text = chatTemplate->render(context, now);
  return text ? *text : "error: " + text.error().message;
}

ChatContext conversation() {
  return {.messages = {{"system", "Be brief."}, {"user", " Hi "}, {"assistant", "Hello"}, {"user", "Bye"}},
          .bosToken = "<s>",
          .eosToken = "</s>"};
}

std::string builtin(std::string_view token, const ChatContext& context = conversation()) {
  const std::string_view source = builtinChatTemplate([&](std::string_view text) { return text == token; });
  return *ChatTemplate::open(source)->render(context);
}

TEST(ChatTemplate, SmolLm2) {
  constexpr std::string_view kSource =
      "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
      "You are helpful<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
      "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
  EXPECT_EQ(*ChatTemplate::open(kSource)->render({.messages = {{"user", "Hi"}}}),
            "<|im_start|>system\nYou are helpful<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTemplate, BuiltinOfEachFamily) {
  EXPECT_EQ(builtin("<|im_start|>"), "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi <|im_end|>\n"
                                     "<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n"
                                     "<|im_start|>assistant\n");
  EXPECT_EQ(
      builtin("<|start_header_id|>"),
      "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
      "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
      "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>"
      "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_EQ(builtin("<start_of_turn>"), "<s><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n"
                                        "<start_of_turn>model\nHello<end_of_turn>\n"
                                        "<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n");
  EXPECT_EQ(builtin("<|end|>"), "<|system|>\nBe brief.<|end|>\n<|user|>\n Hi <|end|>\n<|assistant|>\nHello<|end|>\n"
                                "<|user|>\nBye<|end|>\n<|assistant|>\n");
  EXPECT_EQ(builtin("[INST]"), "<s>[INST] Be brief.\n\n Hi [/INST] Hello</s>[INST] Bye[/INST]");
  EXPECT_TRUE(builtinChatTemplate([](std::string_view) { return false; }).empty());
}

// Blocks on lines of their own leave no line behind, as with trim_blocks and lstrip_blocks.
TEST(ChatTemplate, TrimsBlocks) {
  EXPECT_EQ(rendered("a\n  {% if true %}\n  b\n  {% endif %}\nc\n"), "a\n  b\nc");
  EXPECT_EQ(rendered("{# note #}\nx\n\n"), "x\n");
}

TEST(ChatTemplate, HasTheMethodsOfPython) {
  EXPECT_EQ(rendered("{{ ' x '.strip() }}{{ 'a,b'.split(',')[-1] }}{{ 'ab'.startswith('a') }}{{ 'aB'.upper() }}"),
            "xbTrueAB");
  EXPECT_EQ(
      rendered("{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{{ d.get('z', 3) }}", R"({"d":{"b":1,"a":2}})"),
      "b=1;a=2;3");
  EXPECT_EQ(rendered("{% for x in range(5) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 3 %}{% break %}"
                     "{% endif %}{{ x }}{% endfor %}"),
            "02");
  EXPECT_EQ(rendered("{{ messages[::-1][0] }}{{ none }}{{ true }}{{ 1.0 }}", R"({"messages":[1,2]})"), "2NoneTrue1.0");
}

TEST(ChatTemplate, WritesJsonAsPythonDoes) {
  constexpr std::string_view kContext = R"({"x":{"b":[1,2.5,null,true],"a":"é\"<\n"},"e":{}})";
  EXPECT_EQ(rendered("{{ x | tojson }}", kContext), R"({"b": [1, 2.5, null, true], "a": "é\"<\n"})");
  EXPECT_EQ(rendered("{{ x.b | tojson(indent=2) }}", kContext), "[\n  1,\n  2.5,\n  null,\n  true\n]");
  EXPECT_EQ(rendered("{{ x.b | tojson(separators=[',', ':']) }}{{ e | tojson(indent=4) }}", kContext),
            "[1,2.5,null,true]{}");
}

TEST(ChatTemplate, WritesTheDate) {
  EXPECT_EQ(rendered("{{ strftime_now('%Y-%m') }}", "{}", 1718400000), "2024-06");
  EXPECT_THAT(rendered("{{ strftime_now('%Y' * 1000) }}"), HasSubstr("error: "));
}

TEST(ChatTemplate, KnowsGenerationTags) {
  EXPECT_EQ(rendered("a{% generation %}b{%- endgeneration -%} c"), "abc");
}

TEST(ChatTemplate, RaisesWithItsOwnWords) {
  EXPECT_THAT(rendered("\n{{ raise_exception('roles must alternate') }}"), HasSubstr("roles must alternate"));
  EXPECT_THAT(rendered("{% if %}"), HasSubstr("error: chat template: "));
  EXPECT_THAT(rendered("{{ messages.x.y }}"), HasSubstr("error: "));
  EXPECT_THAT(rendered("x", "[1"), HasSubstr("error: chat template context"));
}

/// How long `source` took to end with an error.
std::chrono::milliseconds timeToError(const std::string& source) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(rendered(source), HasSubstr("error: ")) << source.substr(0, 60);
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
}

TEST(ChatTemplate, StopsHostileTemplates) {
  const std::string hostile[] = {
      "{% for a in range(1000000000) %}x{% endfor %}",
      "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor "
      "%}",
      "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}",
      "{{ 'x' * 1000000000 }}",
      "{{ 'x' * 90000000 }}",
      "{% set s = 'x' * 1000000 %}{% for a in range(99) %}{{ s }}{% endfor %}",
      "{% set n = namespace(s='x') %}{% for a in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s | length }}",
      "{% set s = 'x' * 9000 %}{{ s | replace('x', s) | replace('x', s) | length }}",
      "{% set s = 'x' * 9000 %}{{ (s | replace('x', s) | list) * 9 | length }}",
      "{{ " + std::string(100000, '(') + "1",
      "{{ " + std::string(100000, '[') + " }}",
      std::string(2 << 20, 'x'),
  };
  for (const std::string& source : hostile) EXPECT_LT(timeToError(source).count(), 3000) << source.substr(0, 60);
}

} // namespace
} // namespace llcuda::text
