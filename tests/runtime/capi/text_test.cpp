// SPDX-License-Identifier: Apache-2.0
// Text through the C interface: token ids, chats, and text as it streams.
#include <algorithm>
#include <filesystem>

#include "tests/runtime/capi/capi_fixture.h"

namespace llcuda {
namespace {

using testing::ElementsAre;

TEST_F(CapiTest, TokenizeGrowsAndCounts) {
  api::Engine engine = open("text");
  const auto ids = engine.tokenize("ab<|turn|>\xC3\xA9", LLCUDA_ADD_BOS | LLCUDA_PARSE_SPECIAL);
  ASSERT_TRUE(bool(ids)) << ids.error().message;
  EXPECT_THAT(*ids, ElementsAre(toy::kStartToken, 0, 1, toy::kTurnToken, 67, 68));
  EXPECT_THAT(*engine.detokenize(*ids), "ab\xC3\xA9");
  EXPECT_THAT(*engine.detokenize(*ids, true), "<|start|>ab<|turn|>\xC3\xA9");
  EXPECT_EQ(open("plain").tokenize("a", 0).error().status, LLCUDA_UNSUPPORTED);
}

TEST_F(CapiTest, PiecesOfTokens) {
  const api::Engine engine = open("text");
  EXPECT_EQ(engine.piece(0).bytes, "a");
  EXPECT_TRUE(engine.piece(0).isPresent);
  EXPECT_FALSE(engine.piece(0).isSpecial);
  EXPECT_EQ(engine.piece(toy::kTurnToken).bytes, "<|turn|>");
  EXPECT_TRUE(engine.piece(toy::kTurnToken).isSpecial);
  EXPECT_EQ(engine.piece(67).bytes, "\xC3"); // a part of a character
  for (const int32_t unknown : {-1, 1 << 20}) EXPECT_FALSE(engine.piece(unknown).isPresent);
  EXPECT_FALSE(open("plain").piece(0).isPresent);
}

TEST_F(CapiTest, EngineSaysWhatItsTextIs) {
  const api::Engine engine = open("text"), other = open("plain");
  const llcuda_engine_info info = engine.info();
  EXPECT_EQ(info.bos, toy::kStartToken);
  EXPECT_STREQ(info.vocabulary_kind, "bpe");
  EXPECT_EQ(std::string(info.fingerprint).size(), 8u);
  EXPECT_STRNE(info.fingerprint, other.info().fingerprint);
  EXPECT_EQ(info.file_bytes, std::filesystem::file_size(path("text")));
}

// A template that is given replaces the model's for everything that renders; one that is none changes nothing.
TEST_F(CapiTest, ChatTemplateIsShownAndReplaced) {
  api::Engine engine = open("text");
  ASSERT_TRUE(engine.chatTemplate());
  EXPECT_NE(engine.chatTemplate()->find("messages"), std::string_view::npos);
  EXPECT_FALSE(engine.chatTemplate("nosuch"));
  const api::Message messages[] = {{"user", "hi"}};
  const std::string before = *engine.renderChat(messages, true);
  const auto refused = engine.setChatTemplate("{% for %}");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, LLCUDA_USAGE);
  EXPECT_EQ(*engine.renderChat(messages, true), before);
  EXPECT_FALSE(engine.setChatTemplate("[{{ messages[0].content }}]"));
  EXPECT_EQ(*engine.renderChat(messages, true), "[hi]");
  EXPECT_EQ(*engine.chatTemplate(), "[{{ messages[0].content }}]");
}

TEST_F(CapiTest, TooSmallAnArrayIsNotWritten) {
  llcuda_engine* engine = nullptr;
  llcuda_error error;
  ASSERT_EQ(llcuda_engine_open(path("text").c_str(), &engine, &error), LLCUDA_OK);
  int32_t tokens[2] = {-7, -7};
  std::size_t count = 0;
  EXPECT_EQ(llcuda_tokenize(engine, "abc", 3, 0, tokens, 2, &count, &error), LLCUDA_USAGE);
  EXPECT_EQ(count, 3u);
  EXPECT_EQ(tokens[0], -7);
  EXPECT_EQ(llcuda_tokenize(engine, nullptr, 0, 0, nullptr, 0, &count, &error), LLCUDA_OK);
  EXPECT_EQ(count, 0u);
  llcuda_engine_close(engine);
}

TEST_F(CapiTest, ChatIsRendered) {
  api::Engine engine = open("text");
  const api::Message messages[] = {{"user", "hi"}};
  const auto text = engine.renderChat(messages, true);
  ASSERT_TRUE(bool(text)) << text.error().message;
  EXPECT_EQ(*text, "<|start|><|turn|>u hi<|turn|>");
  const auto ids = engine.tokenize(*text, LLCUDA_RENDERED_CHAT);
  EXPECT_EQ((*ids)[0], toy::kStartToken);
  EXPECT_EQ((*ids)[1], toy::kTurnToken);
}

TEST_F(CapiTest, ZeroByteEndsNoMessage) {
  api::Engine engine = open("text");
  const api::Message messages[] = {{"user", std::string("h\0i", 3)}};
  EXPECT_EQ(*engine.renderChat(messages, true), std::string("<|start|><|turn|>u h\0i<|turn|>", 30));
  EXPECT_EQ(*engine.renderChatJson(R"({"messages": [{"role": "user", "content": "h\u0000i"}]})"),
            std::string("<|start|><|turn|>u h\0i<|turn|>", 30));
}

TEST_F(CapiTest, ChatOfJsonSaysWhatIsWrong) {
  api::Engine engine = open("text");
  EXPECT_EQ(engine.renderChatJson("[").error().status, LLCUDA_USAGE);
  EXPECT_EQ(engine.renderChatJson("{}", "nosuch").error().status, LLCUDA_USAGE);
  const auto closed =
      engine.renderChatJson(R"({"messages": [{"role": "user", "content": "hi"}], "add_generation_prompt": false})");
  EXPECT_EQ(*closed, "<|start|><|turn|>u hi");
}

// Whatever comes, every piece of text is whole characters, and the pieces are the text of all tokens.
TEST_F(CapiTest, StreamedTextIsWholeCharacters) {
  api::Engine engine = open("text");
  api::Session session = sessionOf(engine);
  int held = 0;
  for (int32_t first = 0; first < toy::kStartToken; ++first) {
    ASSERT_TRUE(bool(session.rewind(0)));
    api::GenerateOptions options = greedy(-1);
    options.ignoreStop = true;
    std::string text;
    std::vector<int32_t> tokens;
    options.callback = [&](const llcuda_step& step) {
      const std::string_view piece(step.text, step.text_bytes);
      EXPECT_TRUE(isUtf8(piece));
      text += piece;
      if (step.token >= 0)
        tokens.push_back(step.token);
      held += piece.empty() || step.token < 0;
      return true;
    };
    const int32_t prompt[] = {first};
    ASSERT_TRUE(bool(session.generate(prompt, options)));
    EXPECT_EQ(text, *engine.detokenize(tokens));
  }
  EXPECT_GT(held, 100);
}

TEST_F(CapiTest, StopTokenHasNoText) {
  api::Engine engine = open("text");
  api::Session session = sessionOf(engine);
  // A prompt whose continuation comes to the stop token, found by the formula.
  std::vector<int32_t> prompt = {0, 0};
  const auto steps = [&] {
    const std::vector<int32_t> next = toy::continuation(prompt, 8);
    return std::find(next.begin(), next.end(), toy::kEndToken) - next.begin();
  };
  while (steps() == 8 || steps() == 0) prompt[1] = (prompt[1] + 1) % 90, prompt[0] += prompt[1] == 0;
  api::GenerateOptions options = greedy(-1);
  llcuda_step last = {};
  options.callback = [&](const llcuda_step& step) {
    if (step.token >= 0)
      last = step;
    return true;
  };
  const api::Generated generated = session.generate(prompt, options);
  ASSERT_TRUE(bool(generated));
  EXPECT_EQ(generated.metrics.stop_reason, LLCUDA_STOP_TOKEN);
  EXPECT_EQ(last.token, toy::kEndToken);
  EXPECT_EQ(last.stops, 1);
  EXPECT_EQ(last.text_bytes, 0u);
  EXPECT_EQ(generated.metrics.generated_tokens, static_cast<uint64_t>(steps()) + 1);
}

TEST_F(CapiTest, TextIsTokenizedWithTheFirstTokenOnce) {
  api::Engine engine = open("text");
  api::Session session = sessionOf(engine);
  ASSERT_TRUE(bool(session.generateText("ab", greedy(1))));
  EXPECT_EQ(session.tokens().size(), 4u);
  EXPECT_EQ(session.tokens()[0], toy::kStartToken);
  ASSERT_TRUE(bool(session.generateText("c", greedy(0))));
  EXPECT_EQ(session.tokens().size(), 5u);
  EXPECT_EQ(session.tokens()[4], 2);
}

// A grammar needs no device, says what is wrong with its text, and outlives its engine.
TEST_F(CapiTest, Grammars) {
  std::optional<api::Grammar> kept;
  {
    api::Engine engine = open("text");
    for (const auto& [kind, text] : std::vector<std::pair<llcuda_grammar_kind, const char*>>{
             {LLCUDA_GRAMMAR_JSON_SCHEMA, R"({"type": "integer"})"},
             {LLCUDA_GRAMMAR_JSON_OBJECT, ""},
             {LLCUDA_GRAMMAR_REGEX, "[ab]+"},
             {LLCUDA_GRAMMAR_LARK, "start: \"a\""},
             {LLCUDA_GRAMMAR_GBNF, "root ::= \"a\""}}) {
      auto grammar = engine.createGrammar(kind, text);
      ASSERT_TRUE(bool(grammar)) << grammar.error().message;
      kept = *grammar;
    }
    const auto wrong = engine.createGrammar(LLCUDA_GRAMMAR_GBNF, "root = 1");
    EXPECT_EQ(wrong.error().status, LLCUDA_USAGE);
    EXPECT_EQ(wrong.error().message, "GBNF: expected '::=' after 'root', found '=' (line 1, column 6)");
    EXPECT_EQ(engine.createGrammar(static_cast<llcuda_grammar_kind>(6), "").error().status, LLCUDA_USAGE);
    EXPECT_EQ(open("plain").createGrammar(LLCUDA_GRAMMAR_REGEX, "a").error().status, LLCUDA_UNSUPPORTED);
  }
  EXPECT_NE(kept->get(), nullptr);
}

} // namespace
} // namespace llcuda
