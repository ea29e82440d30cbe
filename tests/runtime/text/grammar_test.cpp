// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/grammar.h"

#include <gmock/gmock.h>

#include <chrono>
#include <random>
#include <thread>

#include "tests/runtime/text/byte_vocabulary.h"

namespace llcuda::text {
namespace {

using testing::HasSubstr;

class GrammarTest : public testing::Test {
protected:
  std::shared_ptr<const Grammar> made(GrammarKind kind, const std::string& text) {
    auto grammar = grammars->create(kind, text);
    EXPECT_TRUE(grammar.ok()) << grammar.error().message;
    return grammar ? *grammar : nullptr;
  }
  /// The sentence of a text that is refused, in time.
  std::string refusal(GrammarKind kind, const std::string& text) {
    const auto start = std::chrono::steady_clock::now();
    const auto grammar = grammars->create(kind, text);
    EXPECT_LT(std::chrono::steady_clock::now() - start, kGrammarDeadline + std::chrono::seconds(1));
    if (grammar.ok())
      return "accepted";
    EXPECT_EQ(grammar.error().code, ErrorCode::kUsage) << grammar.error().message;
    EXPECT_EQ(grammar.error().message.find('\n'), std::string::npos) << grammar.error().message;
    return grammar.error().message;
  }
  /// A text that may be hostile: it is refused, or what it makes can be used for some steps, in time.
  void survive(GrammarKind kind, const std::string& text) {
    const auto start = std::chrono::steady_clock::now();
    const auto grammar = grammars->create(kind, text);
    EXPECT_LT(std::chrono::steady_clock::now() - start, kGrammarDeadline + std::chrono::seconds(1));
    if (!grammar)
      return;
    auto matcher = (*grammar)->matcher();
    std::vector<uint32_t> words((kByteVocabulary + 31) / 32);
    for (int step = 0; matcher && step < 20 && !matcher->isStopped(); ++step) {
      if (!matcher->mask(words))
        return;
      int32_t token = 0;
      while (token < kEnd && !allows(words, token)) ++token;
      if (token == kEnd || !matcher->consume(token))
        return;
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, 2 * kGrammarDeadline);
  }

  std::unique_ptr<Grammars> grammars = byteGrammars();
};

constexpr const char* kPerson = R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer",
"minimum":0,"maximum":120},"tags":{"type":"array","items":{"enum":["a","b"]},"maxItems":2}},
"required":["name","age"],"additionalProperties":false})";

TEST_F(GrammarTest, JsonSchema) {
  const auto grammar = made(GrammarKind::kJsonSchema, kPerson);
  EXPECT_TRUE(accepts(*grammar, R"({"name":"Ada","age":36})"));
  EXPECT_TRUE(accepts(*grammar, R"({ "name" : "\u0001\n", "age" : 0, "tags" : ["a", "b"] })"));
  EXPECT_FALSE(accepts(*grammar, R"({"name":"Ada"})"));
  EXPECT_FALSE(accepts(*grammar, R"({"name":"Ada","age":121})"));
  EXPECT_FALSE(accepts(*grammar, R"({"name":"Ada","age":36,"other":1})"));
  EXPECT_FALSE(accepts(*grammar, R"([])"));
}

TEST_F(GrammarTest, JsonObjectRegexAndLark) {
  const auto object = made(GrammarKind::kJsonObject, "ignored");
  EXPECT_TRUE(accepts(*object, R"({"a":[1,2.5e3,null,{"b":false}]})"));
  EXPECT_FALSE(accepts(*object, R"([1])"));
  const auto regex = made(GrammarKind::kRegex, R"([0-9]{3}-[a-z]+/(x|y))");
  EXPECT_TRUE(accepts(*regex, "123-abc/y"));
  EXPECT_FALSE(accepts(*regex, "123-/y"));
  EXPECT_FALSE(accepts(*regex, "123-abc/"));
  const auto lark = made(GrammarKind::kLark, "start: \"(\" start \")\" | NUMBER\nNUMBER: /[0-9]+/");
  EXPECT_TRUE(accepts(*lark, "((42))"));
  EXPECT_FALSE(accepts(*lark, "((42)"));
}

// Weak models would write blanks for ever.
TEST_F(GrammarTest, FewBlanksInJson) {
  for (const auto& grammar : {made(GrammarKind::kJsonSchema, kPerson), made(GrammarKind::kJsonObject, "ignored")}) {
    EXPECT_TRUE(accepts(*grammar, "{\n  \"name\": \"Ada\",\n  \"age\": 36\n}"));
    EXPECT_FALSE(accepts(*grammar, R"({"name":  "Ada", "age": 36})"));
    EXPECT_FALSE(accepts(*grammar, "{\n\n\n\"name\": \"Ada\", \"age\": 36}"));
  }
  const auto free = made(GrammarKind::kJsonSchema, R"({"type":"object","x-guidance":{"whitespace_pattern":"[ ]+"}})");
  EXPECT_TRUE(accepts(*free, "{     }"));
}

// oneOf is read as anyOf; a schema may ask for compact JSON.
TEST_F(GrammarTest, OptionsOfSchemas) {
  const auto either = made(GrammarKind::kJsonSchema, R"({"oneOf":[{"type":"integer"},{"type":"string"}]})");
  EXPECT_TRUE(accepts(*either, "12"));
  EXPECT_TRUE(accepts(*either, "\"x\""));
  EXPECT_FALSE(accepts(*either, "true"));
  const auto compact = made(GrammarKind::kJsonSchema, R"({"type":"object","properties":{"a":{"type":"integer"}},
"required":["a"],"x-guidance":{"whitespace_flexible":false}})");
  EXPECT_TRUE(accepts(*compact, R"({"a":1})"));
  EXPECT_FALSE(accepts(*compact, R"({ "a":1})"));
}

// A special token is itself, not its text; a grammar names it.
TEST_F(GrammarTest, SpecialTokens) {
  const auto grammar = made(GrammarKind::kLark, "start: <tool_call> \"x\"");
  auto matcher = grammar->matcher();
  ASSERT_TRUE(matcher.ok()) << matcher.error().message;
  const std::vector<uint32_t> first = maskOf(*matcher);
  EXPECT_TRUE(allows(first, kCall));
  EXPECT_FALSE(allows(first, '<'));
  ASSERT_TRUE(matcher->consume(kCall).ok());
  EXPECT_TRUE(allows(maskOf(*matcher), 'x'));
  const auto text = made(GrammarKind::kRegex, ".+");
  matcher = text->matcher();
  EXPECT_FALSE(allows(maskOf(*matcher), kCall));
  EXPECT_FALSE(allows(maskOf(*matcher), static_cast<int32_t>(kByteVocabulary - 1))) << "it is no token";
}

// After its end a grammar allows the stop tokens alone; a token that it refuses is an error, and the matcher's place
// does not depend on others'.
TEST_F(GrammarTest, EndAndRefusal) {
  const auto grammar = made(GrammarKind::kRegex, "abc");
  auto matcher = grammar->matcher();
  ASSERT_TRUE(matcher.ok());
  auto other = matcher->clone();
  ASSERT_TRUE(other.ok());
  for (const char c : std::string("abc")) ASSERT_TRUE(matcher->consume(c).ok());
  EXPECT_TRUE(matcher->isStopped());
  const std::vector<uint32_t> last = maskOf(*matcher);
  for (int32_t token = 0; token < static_cast<int32_t>(kByteVocabulary); ++token)
    EXPECT_EQ(allows(last, token), token == kEnd) << token;
  EXPECT_FALSE(other->isStopped());
  const auto refused = other->consume('x');
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInternal);
}

TEST_F(GrammarTest, Errors) {
  EXPECT_THAT(refusal(GrammarKind::kJsonSchema, "{"), HasSubstr("JSON schema: EOF"));
  EXPECT_THAT(refusal(GrammarKind::kJsonSchema, R"({"type":"object","properties":{"a/b":{"not":{}}}})"),
              HasSubstr("/properties/a~1b/not"));
  EXPECT_THAT(
      refusal(GrammarKind::kJsonSchema, R"({"type":"object","properties":{"a":{"type":"string","format":"nope"}}})"),
      HasSubstr("/properties/a/format"));
  EXPECT_THAT(refusal(GrammarKind::kJsonSchema, R"({"$ref":"https://example.com/other.json"})"),
              HasSubstr("JSON schema"));
  EXPECT_THAT(refusal(GrammarKind::kJsonSchema, R"({"$ref":"file:///etc/passwd"})"), HasSubstr("JSON schema"));
  EXPECT_THAT(refusal(GrammarKind::kRegex, "(ab"), HasSubstr("regex"));
  EXPECT_THAT(refusal(GrammarKind::kLark, "start: missing"), HasSubstr("missing"));
  EXPECT_THAT(refusal(GrammarKind::kLark, "start: \"a"), HasSubstr("1("));
  EXPECT_THAT(refusal(GrammarKind::kGbnf, "root ::= other"), HasSubstr("line 1, column 10"));
  EXPECT_THAT(refusal(GrammarKind::kRegex, "\xff"), HasSubstr("not UTF-8"));
  EXPECT_THAT(refusal(static_cast<GrammarKind>(9), "x"), HasSubstr("grammar kind 9"));
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// What was made to break a server: deep, wide, recursive and exponential texts.
TEST_F(GrammarTest, HostileSchemas) {
  survive(GrammarKind::kJsonSchema, repeated(R"({"items":)", 10000) + "{}" + repeated("}", 10000));
  survive(GrammarKind::kJsonSchema, repeated(R"({"items":)", 120) + "{}" + repeated("}", 120));
  survive(GrammarKind::kJsonSchema, repeated("[", 100000));
  std::string values, properties, chain, allOf;
  for (int i = 0; i < 20000; ++i) values += (i ? "," : "") + std::string("\"value ") + std::to_string(i * 7919) + "\"";
  for (int i = 0; i < 2000; ++i)
    properties += (i ? "," : "") + std::string("\"p") + std::to_string(i) + R"(":{"type":"string"})";
  for (int i = 0; i < 5000; ++i)
    chain += (i ? "," : "") + std::string("\"d") + std::to_string(i) +
             R"(":{"type":"array","items":{"$ref":"#/$defs/d)" + std::to_string((i + 1) % 5000) + "\"}}";
  for (int i = 0; i < 30; ++i)
    allOf += (i ? "," : "") + std::string(R"({"anyOf":[{"type":"object","properties":{"a)") + std::to_string(i) +
             R"(":{"type":"string"}}},{"type":"object","properties":{"b)" + std::to_string(i) +
             R"(":{"type":"integer"}}}]})";
  survive(GrammarKind::kJsonSchema, R"({"enum":[)" + values + "]}");
  survive(GrammarKind::kJsonSchema, R"({"type":"object","properties":{)" + properties + "}}");
  survive(GrammarKind::kJsonSchema, R"({"$ref":"#/$defs/d0","$defs":{)" + chain + "}}");
  survive(GrammarKind::kJsonSchema, R"({"allOf":[)" + allOf + "]}");
  survive(GrammarKind::kJsonSchema, R"({"$ref":"#"})");
  survive(GrammarKind::kJsonSchema,
          R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"})");
  survive(GrammarKind::kJsonSchema, R"({"type":"string","pattern":"^((a{1,1000}){1,1000}){1,1000}$"})");
  survive(GrammarKind::kJsonSchema, R"({"type":"string","minLength":1000000,"maxLength":100000000})");
  survive(GrammarKind::kJsonSchema, R"({"type":"array","minItems":1000000})");
  survive(GrammarKind::kJsonSchema, R"({"type":"number","multipleOf":1e-300,"minimum":-1e308,"maximum":1e308})");
}

TEST_F(GrammarTest, HostileRegexes) {
  survive(GrammarKind::kRegex, "(a|aa)*b{1,1000}(a*)*(.*x){50}");
  survive(GrammarKind::kRegex, ".*a.{20}b.*c.{20}d");
  survive(GrammarKind::kRegex, "(x{1000}){1000}");
  survive(GrammarKind::kRegex, repeated("(", 100000));
  survive(GrammarKind::kRegex, repeated("(", 100000) + "a" + repeated(")", 100000));
  survive(GrammarKind::kRegex, repeated("(a|", 150) + "a" + repeated(")*", 150));
  survive(GrammarKind::kRegex, repeated("a?", 20000));
  survive(GrammarKind::kRegex, repeated("\\w", 5000));
}

TEST_F(GrammarTest, HostileGrammars) {
  survive(GrammarKind::kLark, "start: " + repeated("(", 100000));
  survive(GrammarKind::kLark, "start: start start | \"\"");
  survive(GrammarKind::kLark, "start: a\na: b\nb: a");
  survive(GrammarKind::kLark, "start: " + repeated("\"a\" | ", 50000) + "\"b\"");
  survive(GrammarKind::kLark, "start: (\"a\"{1,2000}){1,2000}");
  survive(GrammarKind::kLark, "%llguidance {\"no_forcing\": tru");
  std::string doubling = "root ::= r0\n", rules;
  for (int i = 0; i < 60; ++i)
    doubling += "r" + std::to_string(i) + " ::= r" + std::to_string(i + 1) + " r" + std::to_string(i + 1) + "\n";
  survive(GrammarKind::kGbnf, doubling + "r60 ::= [a-z]\n");
  for (int i = 0; i < 4000; ++i)
    rules += "r" + std::to_string(i) + " ::= \"x\" r" + std::to_string(i + 1) + " | r" + std::to_string(i / 2) + "\n";
  survive(GrammarKind::kGbnf, "root ::= r0\n" + rules + "r4000 ::= \"y\"\n");
  survive(GrammarKind::kGbnf, "root ::= " + repeated("(", 100000));
  survive(GrammarKind::kGbnf, "root ::= " + repeated("[a-z]* ", 20000));
  survive(GrammarKind::kGbnf, "root ::= root | \"a\"");
}

// Any bytes at all, and what looks like a grammar until it does not.
TEST_F(GrammarTest, RandomBytes) {
  std::mt19937 random(7);
  const std::vector<std::string> seeds = {kPerson, "start: /a+/ (\"b\" | start)*\n%ignore /x/", "(a|b)*[^c]{2,5}",
                                          "root ::= \"a\" (root | [^b-c])? # x\nws ::= [ \\t]{0,2}"};
  for (int i = 0; i < 800; ++i) {
    std::string text = seeds[static_cast<std::size_t>(i) % seeds.size()];
    for (uint32_t change = 1 + random() % 6; change > 0; --change) {
      const std::size_t at = random() % (text.size() + 1);
      if (random() % 3 == 0)
        text.insert(at, 1, static_cast<char>(random()));
      else if (random() % 2 == 0)
        text.insert(at, text.substr(random() % text.size(), random() % 20));
      else if (at < text.size())
        text.erase(at, 1 + random() % 3);
    }
    survive(static_cast<GrammarKind>(std::vector<int>{1, 4, 3, 5}[static_cast<std::size_t>(i) % 4]), text);
    survive(static_cast<GrammarKind>(1 + random() % 5), text);
  }
}

// One grammar, many threads; a text that is known is not read again.
TEST_F(GrammarTest, Threads) {
  const auto grammar = made(GrammarKind::kJsonSchema, kPerson);
  EXPECT_EQ(made(GrammarKind::kJsonSchema, kPerson), grammar);
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) right += accepts(*grammar, R"({"name":"Ada","age":36})");
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 40);
}

} // namespace
} // namespace llcuda::text
