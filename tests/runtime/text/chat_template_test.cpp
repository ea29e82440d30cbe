// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/chat_template.h"

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::text {
namespace {

using testing::HasSubstr;

ChatContext contextAt(int64_t now) {
  ChatContext context;
  context.now = now;
  return context;
}

/// What a template writes, or the message of its error behind "error: ".
std::string rendered(std::string_view source, std::string_view variables = "{}", int64_t now = 0) {
  const Result<ChatTemplate> chatTemplate = ChatTemplate::open(source);
  if (!chatTemplate)
    return "error: " + chatTemplate.error().message;
  const Result<std::string> text = chatTemplate->render(variables, contextAt(now));
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
  EXPECT_THAT(rendered("x", "[1"), HasSubstr("error: the variables of a chat template are not a JSON object"));
  EXPECT_THAT(rendered("x", "[]"), HasSubstr("error: the variables of a chat template are not a JSON object"));
}

// Nothing given is seen by a template that asks for none, by one that asks for a defined one, and by one that asks
// neither.
TEST(ChatTemplate, KnowsThatNoToolsWereGiven) {
  constexpr std::string_view kAsks[] = {"tools is not none",   "tools is defined",         "tools",
                                        "tools | length > 0",  "not (tools is undefined)", "tools | default(false)",
                                        "documents is defined"};
  for (const std::string_view ask : kAsks)
    EXPECT_EQ(rendered("{% if " + std::string(ask) + " %}tools{% else %}none{% endif %}"), "none") << ask;
  EXPECT_EQ(rendered("{% for tool in tools %}{{ tool }}{% endfor %}{{ tools | tojson }}"), "null");
  EXPECT_EQ(rendered("{% if tools is defined and tools is not none %}{{ tools | tojson }}{% endif %}",
                     R"({"tools":[{"z":1,"a":2}]})"),
            R"([{"z": 1, "a": 2}])");
  EXPECT_EQ(rendered("{{ tools is defined }}{{ tools is none }}", R"({"tools":null})"), "TrueTrue");
}

TEST(ChatTemplate, SeesNoTokenThatTheModelHasNot) {
  const auto opened = ChatTemplate::open("{{ bos_token is defined }}{{ eos_token }}{{ pad_token is defined }}");
  ChatContext context;
  context.eosToken = "</s>";
  EXPECT_EQ(*opened->render(context), "False</s>False");
  context.bosToken = "<s>";
  context.paddingToken = "<p>";
  EXPECT_EQ(*opened->render(context), "True</s>True");
}

TEST(ChatTemplate, KeepsZeroBytes) {
  const auto opened = ChatTemplate::open("{{ messages[0].content }}|{{ messages[0] | tojson }}");
  ChatContext context;
  context.messages = {{"user", std::string("a\0b", 3)}};
  EXPECT_EQ(*opened->render(context), std::string("a\0b|", 4) + R"({"role": "user", "content": "a\u0000b"})");
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
      "{% set n = namespace(l=[]) %}{% for a in range(99999) %}{% set n.l = [n.l] %}{% endfor %}",
      "{% set n = namespace(l=[1]) %}{% for a in range(60) %}{% set n.l = [n.l, n.l] %}{% endfor %}{{ n.l == [n.l[0], "
      "n.l[1]] and n.l == 1 or n.l | string }}",
      "{% set n = namespace() %}{% set n.a = [1] %}{% set n.b = [1] %}{% for a in range(60) %}{% set n.a = [n.a, n.a] "
      "%}"
      "{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}",
      "{% set n = namespace(x=1) %}{% set n.x = n %}{{ n }}",
      "{% for a in range(99999) %}{{ 'x'.center(99999) | wordwrap(3) | length }}{% endfor %}",
      "{{ '%1000000000d' % 1 }}",
      "{{ '{:1000000000}'.format(1) }}",
      "{{ [0] * 1000000000000 }}",
      "{{ 10 ** 1000000000000 }}",
      "{{ 1" + std::string(50000, '0') + " }}",
      "{% for a in range(99999) %}{% for b in range(99999) %}{{ range(99999) | list | length }}{% endfor %}{% endfor "
      "%}",
      "{{ x" + std::string(300000, '+') + " }}",
      "{{ x" +
          [] {
            std::string chain;
            for (int i = 0; i < 100000; ++i) chain += "+x";
            return chain;
          }() +
          " }}",
      "{{ x" +
          [] {
            std::string chain;
            for (int i = 0; i < 100000; ++i) chain += ".x";
            return chain;
          }() +
          " }}",
      "{{ x" +
          [] {
            std::string chain;
            for (int i = 0; i < 100000; ++i) chain += "|e";
            return chain;
          }() +
          " }}",
      "{{ " + std::string(100000, '(') + "1",
      "{{ " + std::string(100000, '[') + " }}",
      std::string(2 << 20, 'x'),
  };
  for (const std::string& source : hostile) EXPECT_LT(timeToError(source).count(), 3000) << source.substr(0, 60);
}

} // namespace
} // namespace llcuda::text
