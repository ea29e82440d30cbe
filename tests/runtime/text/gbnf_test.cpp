// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/gbnf.h"

#include <gmock/gmock.h>

#include <random>
#include <set>

#include "runtime/text/gbnf_grammar.h"
#include "tests/runtime/text/byte_vocabulary.h"

namespace llcuda::text {
namespace {

using testing::HasSubstr;

class GbnfTest : public testing::Test {
protected:
  std::shared_ptr<const Grammar> made(const std::string& text) {
    auto grammar = grammars->create(GrammarKind::kGbnf, text);
    EXPECT_TRUE(grammar.ok()) << grammar.error().message << "\n" << larkFromGbnf(text).value();
    return grammar ? *grammar : nullptr;
  }
  void expectAll(const std::string& text, const std::vector<std::string>& good, const std::vector<std::string>& bad) {
    const auto grammar = made(text);
    ASSERT_TRUE(grammar);
    for (const std::string& one : good) EXPECT_TRUE(accepts(*grammar, one)) << one << "\n" << *larkFromGbnf(text);
    for (const std::string& one : bad) EXPECT_FALSE(accepts(*grammar, one)) << one << "\n" << *larkFromGbnf(text);
  }
  std::unique_ptr<Grammars> grammars = byteGrammars();
};

TEST_F(GbnfTest, LiteralsClassesAndRepetitions) {
  expectAll("root ::= \"yes\" | \"no\"", {"yes", "no"}, {"", "ye", "yesno", "maybe"});
  expectAll("root ::= [a-c] [^a-c] . [\\]\\\\-]", {"ax.]", "bzz-", "cé\n\\"}, {"aax]", "ax]", "dx.]"});
  expectAll("root ::= \"a\"* \"b\"+ \"c\"?", {"b", "aab", "abbc"}, {"", "a", "ac", "bcc"});
  expectAll("root ::= (\"a\" | \"bc\"){2} [0-9]{1,3} \"x\"{0,} \"y\"{2,}", {"abc1yy", "aa123xyyy", "bcbc12xxyy"},
            {"a1yy", "aaa1yy", "aa1234yy", "aa1y"});
  expectAll("root ::= \"ab\"{2}", {"abab"}, {"abb", "ab"});
  expectAll("root ::= \"\" | \"x\"", {"", "x"}, {"xx"});
  expectAll("root ::= (\"a\"{0} \"b\"){0,2} \"\"", {"", "b", "bb"}, {"ab", "bbb"});
}

TEST_F(GbnfTest, Escapes) {
  expectAll(R"(root ::= "\x41\u00e9\U0001f600\t\n\r\\\"\[\]" [\x30-\x39])", {"A\u00e9\U0001f600\t\n\r\\\"[]7"},
            {"A", "a\u00e9\U0001f600\t\n\r\\\"[]7"});
  expectAll("root ::= [\u00e0-\u00ff]+ \"\U0001f600\"", {"\u00e9\u00e8\U0001f600"}, {"e\U0001f600", "\u00e9"});
}

// Rules may stand on several lines within a group and after `|`; comments stand anywhere between.
TEST_F(GbnfTest, LinesAndComments) {
  expectAll("# a comment\nroot ::= # another\n  first |\n  \"b\" ( \"c\"\n    | \"d\" # more\n  )\n\nfirst ::= \"a\"\n",
            {"a", "bc", "bd"}, {"b", "ad"});
  expectAll("root::=a-rule\r\na-rule ::= \"x\"", {"x"}, {"y"});
}

TEST_F(GbnfTest, Recursion) {
  expectAll("root ::= \"(\" root \")\" | \"x\"", {"x", "((x))"}, {"(x", "x)", "()"});
  expectAll("root ::= root \"+\" root | [0-9]+", {"1", "12+3+4"}, {"+", "1+"});
}

constexpr const char* kJson = R"(root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::= "{" ws ( string ":" ws value ("," ws string ":" ws value)* )? "}" ws
array  ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
ws ::= | " " | "\n" [ \t]{0,20}
)";

// Strings and numbers of JSON stay whole for the lexer, or masks would take long.
TEST_F(GbnfTest, Json) {
  expectAll(kJson, {R"({"a": [1, -2.5e3, "x\n\u00e9", {"b": null}, true]})", "{}", "{\n  \"key\": \"v\"\n}"},
            {"[1]", R"({"a": })", R"({"a": "b})", R"({a: 1})"});
  const auto lark = larkFromGbnf(kJson);
  ASSERT_TRUE(lark.ok());
  int pieces = 0;
  for (const char c : *lark) pieces += c == '/';
  EXPECT_LE(pieces, 40) << *lark;
}

// The longest piece is the wrong one here: an identifier that ends in what follows it, words that begin alike.
TEST_F(GbnfTest, WhatALexerWouldCutWrongly) {
  expectAll("root ::= (\"ab\" \"c\" \"x\" | \"abc\" \"y\") root?", {"abcx", "abcy", "abcxabcy"}, {"abc", "abx"});
  expectAll("root ::= [a-z]+ \"z\" (\"(\" root \")\")?", {"az", "zz", "abzzz", "az(bz)"}, {"z", "ab", "az()"});
  expectAll("root ::= (expr \"=\" ws term \"\\n\")+\nexpr ::= term ([-+*/] term)*\n"
            "term ::= ident | num | \"(\" ws expr \")\" ws\nident ::= [a-z] [a-z0-9_]* ws\nnum ::= [0-9]+ ws\n"
            "ws ::= [ \\t\\n]*\n",
            {"a=1\n", "a +b = c\n", "(x*(y-2)) = 12 \n\n", "a=1\nb=2\n"}, {"a=1", "a + b=1\n", "=1\n", "a=\n"});
  expectAll("root ::= (\"\u00e9\" | \"\u00e9\u00e8\") \"\u00ea\" root?", {"\u00e9\u00ea", "\u00e9\u00e8\u00ea"},
            {"\u00e9\u00e8"});
}

TEST_F(GbnfTest, SpecialTokens) {
  const auto grammar = made("root ::= <tool_call> \"a\" | <[257]> \"b\"");
  ASSERT_TRUE(grammar);
  auto matcher = grammar->matcher();
  ASSERT_TRUE(matcher.ok());
  EXPECT_TRUE(allows(maskOf(*matcher), kCall));
  ASSERT_TRUE(matcher->consume(kCall).ok());
  EXPECT_TRUE(allows(maskOf(*matcher), 'a'));
  EXPECT_TRUE(allows(maskOf(*matcher), 'b'));
}

TEST(Gbnf, ErrorsHaveLineAndColumn) {
  const auto messageOf = [](std::string_view text) {
    const auto lark = larkFromGbnf(text);
    return lark.ok() ? std::string("accepted") : lark.error().message;
  };
  EXPECT_THAT(messageOf(""), HasSubstr("no rule 'root'"));
  EXPECT_THAT(messageOf("root = \"a\""), HasSubstr("expected '::=' after 'root', found '=' (line 1, column 6)"));
  EXPECT_THAT(messageOf("root ::= \"a"), HasSubstr("literal is not closed (line 1, column 10)"));
  EXPECT_THAT(messageOf("root ::= [a"), HasSubstr("class is not closed (line 1, column 10)"));
  EXPECT_THAT(messageOf("root ::= []"), HasSubstr("no characters"));
  EXPECT_THAT(messageOf("root ::= [b-a]"), HasSubstr("ends before it begins"));
  EXPECT_THAT(messageOf("root ::= (\"a\""), HasSubstr("group is not closed (line 1, column 10)"));
  EXPECT_THAT(messageOf("root ::= \"a\")"), HasSubstr("found ')'"));
  EXPECT_THAT(messageOf("root ::= *"), HasSubstr("found '*'"));
  EXPECT_THAT(messageOf("root ::= \"a\"{2,1}"), HasSubstr("at least 2 and at most 1"));
  EXPECT_THAT(messageOf("root ::= \"a\"{x}"), HasSubstr("expected a number, found 'x'"));
  EXPECT_THAT(messageOf("root ::= \"a\"{1,99999}"), HasSubstr("at most 2000"));
  EXPECT_THAT(messageOf("root ::= \"\\q\""), HasSubstr("unknown escape 'q'"));
  EXPECT_THAT(messageOf("root ::= \"\\x4\""), HasSubstr("expected 2 hexadecimal digits"));
  EXPECT_THAT(messageOf("root ::= \"\\ud800\""), HasSubstr("no character"));
  EXPECT_THAT(messageOf("root ::= \"\xff\""), HasSubstr("not UTF-8"));
  EXPECT_THAT(messageOf("root ::= a\n  b"), HasSubstr("expected '::='"));
  EXPECT_THAT(messageOf("root ::= \"a\" |\n\n other"), HasSubstr("rule 'other' is not defined (line 3, column 2)"));
}

// ----------------------------------------------------------------------- against a reader that tries everything

/// Where text may end that begins at `at` and is what the node says. Not for left recursion.
class Slow {
public:
  Slow(const gbnf::Grammar& grammar, std::u32string text) : grammar(grammar), text(std::move(text)) {}
  bool accepts() { return ends(grammar.rules[grammar.root].body, 0).contains(text.size()); }

private:
  std::set<std::size_t> ends(uint32_t index, std::size_t at) {
    const gbnf::Node& node = grammar.nodes[index];
    std::set<std::size_t> found;
    switch (node.kind) {
    case gbnf::NodeKind::kChars: {
      gbnf::CharSet one;
      if (at < text.size()) {
        one.add(text[at], text[at]);
        if (one.intersects(node.chars))
          found.insert(at + 1);
      }
      return found;
    }
    case gbnf::NodeKind::kRule:
      return ends(grammar.rules[node.rule].body, at);
    case gbnf::NodeKind::kChoice:
      for (const uint32_t child : node.children) found.merge(ends(child, at));
      return found;
    case gbnf::NodeKind::kRepeat: {
      std::set<std::size_t> now = {at};
      if (node.min == 0)
        found = now;
      for (uint32_t count = 1; count <= node.max && count <= text.size() + node.min && !now.empty(); ++count) {
        std::set<std::size_t> next;
        for (const std::size_t from : now) next.merge(ends(node.children[0], from));
        now = next;
        if (count >= node.min)
          found.insert(now.begin(), now.end());
      }
      return found;
    }
    default:
      found = {at};
      for (const uint32_t child : node.children) {
        std::set<std::size_t> next;
        for (const std::size_t from : found) next.merge(ends(child, from));
        found = next;
      }
      return found;
    }
  }
  const gbnf::Grammar& grammar;
  std::u32string text;
};

/// A grammar of few letters, so that its parts are ambiguous, whose rules name later ones or, behind a letter, any.
std::string randomGrammar(std::mt19937& random) {
  std::string text;
  const auto pick = [&](std::initializer_list<const char*> of) {
    return std::string(of.begin()[random() % of.size()]);
  };
  for (int rule = 0; rule < 3; ++rule) {
    text += (rule == 0 ? "root" : "r" + std::to_string(rule)) + " ::= ";
    const uint32_t alternatives = 1 + random() % 3;
    for (uint32_t i = 0; i < alternatives; ++i) {
      text += i ? " | " : "";
      const uint32_t items = 1 + random() % 3;
      for (uint32_t j = 0; j < items; ++j) {
        std::string item = pick({"\"a\"", "\"ab\"", "\"b\"", "[ab]", "[bc]", "\"abc\"", "(\"a\" | \"ab\")", "\"\""});
        if (rule < 2 && random() % 3 == 0)
          item = "r" + std::to_string(rule + 1);
        if (random() % 6 == 0)
          item = "(\"c\" root \"c\")";
        text += item + pick({"", "", "", "*", "+", "?", "{1,2}", "{2}"}) + " ";
      }
    }
    text += "\n";
  }
  return text;
}

// Random grammars and texts: what is accepted is what a reader says that tries everything.
TEST_F(GbnfTest, SameLanguage) {
  std::mt19937 random(11);
  int accepted = 0, refused = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string text = randomGrammar(random);
    const auto parsed = gbnf::parse(text);
    ASSERT_TRUE(parsed.ok()) << text;
    const auto grammar = grammars->create(GrammarKind::kGbnf, text);
    ASSERT_TRUE(grammar.ok()) << grammar.error().message << "\n" << text << *larkFromGbnf(text);
    for (int j = 0; j < 25; ++j) {
      std::string word;
      for (uint32_t letters = random() % 8; letters > 0; --letters) word += "abc"[random() % 3];
      const bool is = Slow(*parsed, std::u32string(word.begin(), word.end())).accepts();
      (is ? accepted : refused) += 1;
      ASSERT_EQ(accepts(**grammar, word), is) << word << "\n" << text << *larkFromGbnf(text);
    }
  }
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 100);
}

TEST(Gbnf, RandomBytesAreAnErrorOrAGrammar) {
  std::mt19937 random(3);
  const std::string_view alphabet = "root ::=\"ab[]^-\\x41(){},0123*+?|.#\n<>!\xc3\xa9";
  for (int i = 0; i < 20000; ++i) {
    std::string text = i % 2 ? "root ::= " : "";
    for (uint32_t bytes = random() % 40; bytes > 0; --bytes)
      text += i % 5 ? alphabet[random() % alphabet.size()] : static_cast<char>(random());
    const auto lark = larkFromGbnf(text);
    EXPECT_TRUE(lark.ok() || lark.error().code == ErrorCode::kUsage);
  }
}

} // namespace
} // namespace llcuda::text
