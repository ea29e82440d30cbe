// SPDX-License-Identifier: Apache-2.0
// The C interface and its C++ face over libllcuda.so, with the toy engine on hostsim.
#include "llcuda/llcuda.hpp"

#include <atomic>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runtime/engine/toy_engine.h"
#include "tests/runtime/engine/toy_text.h"

namespace llcuda {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

/// What the text of tokens has to be: their bytes, special tokens left out, broken characters replaced.
bool isUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
    if (length == 0 || i + length > text.size())
      return false;
    for (std::size_t k = 1; k < length; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80)
        return false;
    i += length;
  }
  return true;
}

class CapiTest : public testing::Test {
protected:
  void SetUp() override {
    folder = std::filesystem::path(testing::TempDir()) / ("llcuda_capi_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    toy::ToyEngine toy = toy::toyEngine(toy::readFile(LLCUDA_TOY_IMAGE_PATH));
    toy::writeFile(path("plain"), toy::fileBytes(toy));
    toy::addText(toy);
    toy::writeFile(path("text"), toy::fileBytes(toy));
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string path(const char* name) const { return (folder / (std::string(name) + ".engine")).string(); }

  api::Engine open(const char* name) {
    auto engine = api::Engine::open(path(name));
    EXPECT_TRUE(bool(engine)) << engine.error().message;
    return std::move(*engine);
  }

  static api::Session sessionOf(api::Engine& engine, uint32_t context = 0) {
    api::SessionOptions options;
    options.device = LLCUDA_DEVICE_HOST;
    options.context = context;
    auto session = engine.createSession(options);
    EXPECT_TRUE(bool(session)) << session.error().message;
    return std::move(*session);
  }

  std::filesystem::path folder;
};

api::GenerateOptions greedy(int32_t maxTokens) {
  api::GenerateOptions options;
  options.temperature = 0;
  options.maxTokens = maxTokens;
  return options;
}

TEST_F(CapiTest, EngineSaysWhatItIs) {
  const llcuda_engine_info plain = open("plain").info();
  EXPECT_EQ(plain.vocabulary, toy::kVocabulary);
  EXPECT_EQ(plain.max_context, toy::kMaxContext);
  EXPECT_EQ(plain.has_tokenizer, 0u);
  EXPECT_EQ(plain.has_golden, 1u);
  api::Engine engine = open("text");
  EXPECT_STREQ(engine.info().architecture, "toy");
  EXPECT_EQ(engine.info().has_tokenizer, 1u);
  EXPECT_EQ(engine.info().has_chat_template, 1u);
  EXPECT_TRUE(engine.isStopToken(toy::kEndToken));
  EXPECT_FALSE(engine.isStopToken(0));
}

TEST_F(CapiTest, ErrorsAreValues) {
  llcuda_error error;
  llcuda_engine* engine = nullptr;
  EXPECT_EQ(llcuda_engine_open("/does/not/exist", &engine, &error), LLCUDA_BAD_INPUT);
  EXPECT_EQ(error.status, LLCUDA_BAD_INPUT);
  EXPECT_THAT(error.message, HasSubstr("cannot be opened"));
  EXPECT_EQ(llcuda_engine_open("/does/not/exist", &engine, nullptr), LLCUDA_BAD_INPUT);
  EXPECT_EQ(llcuda_engine_open(nullptr, &engine, &error), LLCUDA_USAGE);
  EXPECT_EQ(engine, nullptr);
  EXPECT_STREQ(llcuda_status_name(LLCUDA_NO_DEVICE), "LLCUDA_NO_DEVICE");
  llcuda_engine_close(nullptr);
  llcuda_session_destroy(nullptr);

  // A path longer than the message buffer is cut, between characters.
  std::string longPath = "/x";
  while (longPath.size() < 3 * LLCUDA_ERROR_BYTES) longPath += "\xE2\x82\xAC";
  EXPECT_EQ(llcuda_engine_open(longPath.c_str(), &engine, &error), LLCUDA_BAD_INPUT);
  EXPECT_TRUE(isUtf8(error.message));
  EXPECT_GE(std::strlen(error.message), std::size_t{LLCUDA_ERROR_BYTES - 4});
}

TEST_F(CapiTest, TokenizeGrowsAndCounts) {
  api::Engine engine = open("text");
  const auto ids = engine.tokenize("ab<|turn|>\xC3\xA9", LLCUDA_ADD_BOS | LLCUDA_PARSE_SPECIAL);
  ASSERT_TRUE(bool(ids)) << ids.error().message;
  EXPECT_THAT(*ids, ElementsAre(toy::kStartToken, 0, 1, toy::kTurnToken, 67, 68));
  EXPECT_THAT(*engine.detokenize(*ids), "ab\xC3\xA9");
  EXPECT_THAT(*engine.detokenize(*ids, true), "<|start|>ab<|turn|>\xC3\xA9");
  EXPECT_EQ(open("plain").tokenize("a", 0).error().status, LLCUDA_UNSUPPORTED);
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

TEST_F(CapiTest, GeneratesByTheFormula) {
  api::Engine engine = open("plain");
  api::Session session = sessionOf(engine);
  api::GenerateOptions options = greedy(10);
  std::vector<int32_t> tokens;
  options.callback = [&](const llcuda_step& step) {
    EXPECT_EQ(step.index, tokens.size());
    EXPECT_EQ(step.text_bytes, 0u);
    EXPECT_EQ(step.forced, -1);
    tokens.push_back(step.token);
    return true;
  };
  const std::vector<int32_t> prompt = {3, 1, 4};
  const api::Generated generated = session.generate(prompt, options);
  ASSERT_TRUE(bool(generated)) << generated.error->message;
  EXPECT_THAT(tokens, ElementsAreArray(toy::continuation(prompt, 10)));
  EXPECT_EQ(generated.metrics.stop_reason, LLCUDA_STOP_LENGTH);
  EXPECT_EQ(generated.metrics.generated_tokens, 10u);
  EXPECT_GT(generated.metrics.first_token_ns, 0u);
  EXPECT_EQ(session.metrics().prompt_tokens, 3u);
  EXPECT_EQ(session.tokens().size(), 13u);
  EXPECT_EQ(session.info().decode_nodes, 3u);
  EXPECT_EQ(session.info().on_host, 1);
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

TEST_F(CapiTest, ForcedTokensAndLogprobs) {
  api::Engine engine = open("plain");
  api::Session session = sessionOf(engine);
  api::GenerateOptions options = greedy(-1);
  options.forced = std::vector<int32_t>{10, 20};
  options.logprobs = 4;
  std::vector<int32_t> forced;
  options.callback = [&](const llcuda_step& step) {
    EXPECT_EQ(step.top_count, 4u);
    EXPECT_EQ(step.top[0].token, step.token);
    EXPECT_FLOAT_EQ(step.top[0].log_probability, step.log_probability);
    EXPECT_LT(step.forced_log_probability, step.log_probability);
    forced.push_back(step.forced);
    return true;
  };
  const int32_t prompt[] = {1};
  const api::Generated generated = session.generate(prompt, options);
  ASSERT_TRUE(bool(generated)) << generated.error->message;
  EXPECT_EQ(generated.metrics.stop_reason, LLCUDA_STOP_FORCED);
  EXPECT_THAT(forced, ElementsAre(10, 20));
}

TEST_F(CapiTest, WrongOptionsAreNamed) {
  api::Engine engine = open("plain");
  api::Session session = sessionOf(engine);
  const int32_t prompt[] = {1};
  api::GenerateOptions options = greedy(-2);
  EXPECT_THAT(session.generate(prompt, options).error->message, HasSubstr("max_tokens is -2"));
  options = greedy(1);
  options.topP = 0;
  EXPECT_THAT(session.generate(prompt, options).error->message, HasSubstr("top_p is 0"));
  options = greedy(1);
  options.temperature = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(session.generate(prompt, options).error->message, HasSubstr("temperature is nan"));
  EXPECT_EQ(session.generate(prompt, greedy(1)).error, std::nullopt);
  api::SessionOptions tooLong;
  tooLong.device = LLCUDA_DEVICE_HOST;
  tooLong.context = toy::kMaxContext + 1;
  EXPECT_THAT(engine.createSession(tooLong).error().message, HasSubstr("compile it with -c 31"));
  EXPECT_EQ(session.rewind(99).error().status, LLCUDA_USAGE);
}

// An older caller's struct ends earlier: what it lacks has its default.
TEST_F(CapiTest, ShorterOptionStructs) {
  llcuda_engine* engine = nullptr;
  llcuda_session* session = nullptr;
  llcuda_error error;
  ASSERT_EQ(llcuda_engine_open(path("plain").c_str(), &engine, &error), LLCUDA_OK);
  llcuda_session_options options;
  llcuda_session_options_init(&options);
  options.struct_bytes = offsetof(llcuda_session_options, device_index);
  options.device = LLCUDA_DEVICE_HOST;
  options.device_index = 77;
  options.context = 99999;
  ASSERT_EQ(llcuda_session_create(engine, &options, &session, &error), LLCUDA_OK) << error.message;
  llcuda_session_info info;
  llcuda_session_get_info(session, &info);
  EXPECT_EQ(info.context, toy::kMaxContext);
  llcuda_session_destroy(session);
  options.struct_bytes = 0;
  EXPECT_EQ(llcuda_session_create(engine, &options, &session, &error), LLCUDA_USAGE);
  EXPECT_THAT(error.message, HasSubstr("struct_bytes"));
  llcuda_engine_close(engine);
}

TEST_F(CapiTest, SessionsOutliveTheEngineAndDoNotMix) {
  std::optional<api::Engine> engine(open("plain"));
  api::Session a = sessionOf(*engine), b = sessionOf(*engine, 12);
  engine.reset();
  const int32_t first[] = {1, 2}, second[] = {9};
  ASSERT_TRUE(bool(a.generate(first, greedy(3))));
  ASSERT_TRUE(bool(b.generate(second, greedy(3))));
  ASSERT_TRUE(bool(a.generate({}, greedy(3))));
  const std::vector<int32_t> wanted = toy::continuation({1, 2}, 6);
  EXPECT_THAT(std::vector(a.tokens().begin() + 2, a.tokens().end()), ElementsAreArray(wanted));
}

TEST_F(CapiTest, CancelFromAnotherThread) {
  api::Engine engine = open("plain");
  api::Session session = sessionOf(engine);
  std::atomic<bool> started = false;
  api::GenerateOptions options = greedy(-1);
  options.callback = [&](const llcuda_step&) {
    started = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return true;
  };
  std::thread canceller([&] {
    while (!started) std::this_thread::yield();
    session.cancel();
  });
  const int32_t prompt[] = {1};
  const api::Generated generated = session.generate(prompt, options);
  canceller.join();
  ASSERT_FALSE(bool(generated));
  EXPECT_EQ(generated.error->status, LLCUDA_CANCELLED);
  EXPECT_GE(generated.metrics.generated_tokens, 1u);
  EXPECT_LE(generated.metrics.generated_tokens, 3u);
  EXPECT_TRUE(bool(session.generate({}, greedy(1))));
}

TEST_F(CapiTest, SelfCheck) {
  api::Engine engine = open("plain");
  api::Session session = sessionOf(engine);
  const api::SelfCheck check = session.selfCheck();
  EXPECT_TRUE(bool(check));
  EXPECT_EQ(check.report.positions, 7u);
}

TEST_F(CapiTest, AutoSaysWhyItRunsOnTheHost) {
  api::Engine engine = open("plain");
  api::SessionOptions options;
  std::vector<std::string> warnings;
  options.log = [&](llcuda_log_level level, std::string_view line) {
    if (level == LLCUDA_LOG_WARNING)
      warnings.emplace_back(line);
  };
  auto session = engine.createSession(options);
  ASSERT_TRUE(bool(session)) << session.error().message;
  if (!session->info().on_host)
    GTEST_SKIP() << "this machine has a GPU";
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("running on the host")));
}

} // namespace
} // namespace llcuda
