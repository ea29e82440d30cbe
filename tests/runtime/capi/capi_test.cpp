// SPDX-License-Identifier: Apache-2.0
// Engines, sessions and errors through the C interface and its C++ face.
#include <dlfcn.h>

#include <atomic>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <thread>

#include "tests/runtime/capi/capi_fixture.h"

namespace llcuda {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

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

// An older caller's struct is shorter: what it does not have is not written. A newer one's is longer.
TEST_F(CapiTest, StructsGrow) {
  llcuda_engine* engine = nullptr;
  ASSERT_EQ(llcuda_engine_open(path("plain").c_str(), &engine, nullptr), LLCUDA_OK);
  llcuda_engine_info old = {};
  old.struct_bytes = offsetof(llcuda_engine_info, embedding);
  old.embedding = 7777;
  llcuda_engine_get_info(engine, &old);
  EXPECT_STREQ(old.architecture, "toy");
  EXPECT_EQ(old.embedding, 7777u);
  EXPECT_EQ(old.vocabulary, 0u);
  EXPECT_EQ(old.struct_bytes, offsetof(llcuda_engine_info, embedding));

  struct {
    llcuda_engine_info known;
    uint64_t added;
  } newer = {{}, 5};
  newer.known.struct_bytes = sizeof newer;
  llcuda_engine_get_info(engine, &newer.known);
  EXPECT_EQ(newer.known.vocabulary, toy::kVocabulary);
  EXPECT_EQ(newer.added, 5u);
  EXPECT_EQ(newer.known.struct_bytes, sizeof(llcuda_engine_info));

  llcuda_engine_info unset = {};
  llcuda_engine_get_info(engine, &unset);
  EXPECT_EQ(unset.architecture, nullptr);
  llcuda_engine_close(engine);
}

TEST_F(CapiTest, MetricsAndStepsGrow) {
  api::Engine engine = open("plain");
  api::Session session = sessionOf(engine);
  api::GenerateOptions options = greedy(2);
  options.callback = [](const llcuda_step& step) {
    EXPECT_EQ(step.struct_bytes, sizeof(llcuda_step));
    return true;
  };
  const int32_t prompt[] = {1, 2};
  const api::Generated generated = session.generate(prompt, options);
  EXPECT_EQ(generated.metrics.struct_bytes, sizeof(llcuda_metrics));
  EXPECT_EQ(generated.metrics.generated_tokens, 2u);
  EXPECT_EQ(session.info().struct_bytes, sizeof(llcuda_session_info));
}

// Either way the values are the same; lazily the text is looked at when it is used, which opening does.
TEST_F(CapiTest, VerifiesAtOnceOrLazily) {
  auto lazy = api::Engine::open(path("plain"), LLCUDA_VERIFY_LAZY);
  ASSERT_TRUE(bool(lazy)) << lazy.error().message;
  api::Session session = sessionOf(*lazy);
  std::vector<int32_t> tokens;
  api::GenerateOptions options = greedy(4);
  options.callback = [&](const llcuda_step& step) {
    tokens.push_back(step.token);
    return true;
  };
  const int32_t prompt[] = {3, 1, 4};
  ASSERT_FALSE(session.generate(prompt, options).error);
  EXPECT_THAT(tokens, ElementsAreArray(toy::continuation({3, 1, 4}, 4)));
  const llcuda_session_info info = session.info();
  EXPECT_GT(info.open_ns, 0u);
  EXPECT_GT(info.device_ns, 0u);
  EXPECT_GT(info.weights_ns, 0u);
  EXPECT_GT(info.session_ns, 0u);

  std::vector<std::byte> file = toy::readFile(path("text"));
  schema::EngineHeader header;
  std::memcpy(&header, file.data(), sizeof header);
  file[header.segments[static_cast<std::size_t>(schema::SegmentKind::kText)].offset] ^= std::byte{1};
  toy::writeFile(path("damaged"), file);
  for (const llcuda_verify verify : {LLCUDA_VERIFY_FULL, LLCUDA_VERIFY_LAZY}) {
    const auto damaged = api::Engine::open(path("damaged"), verify);
    ASSERT_FALSE(bool(damaged));
    EXPECT_EQ(damaged.error().status, LLCUDA_BAD_INPUT);
    EXPECT_THAT(damaged.error().message, HasSubstr("segment text is damaged (hash differs)"));
  }

  llcuda_engine* engine = nullptr;
  llcuda_error error;
  llcuda_open_options wrong;
  llcuda_open_options_init(&wrong);
  wrong.verify = 2;
  EXPECT_EQ(llcuda_engine_open_with(path("plain").c_str(), &wrong, &engine, &error), LLCUDA_USAGE);
  EXPECT_THAT(error.message, HasSubstr("verify is 2, which is no llcuda_verify"));
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
  options.sampler->topP = 0;
  EXPECT_THAT(session.generate(prompt, options).error->message, HasSubstr("top_p is 0"));
  options = greedy(1);
  options.sampler->temperature = std::numeric_limits<float>::quiet_NaN();
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
  llcuda_session_info info = {};
  info.struct_bytes = sizeof info;
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

// Memory, modules, streams, events, graphs and the context: all are given back, whichever of the two goes first.
TEST_F(CapiTest, ClosingGivesEverythingBack) {
  void* const hostsim = ::dlopen(LLCUDA_HOSTSIM_PATH, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(hostsim, nullptr) << ::dlerror();
  const auto liveObjects = reinterpret_cast<uint64_t (*)()>(::dlsym(hostsim, "llcudaHostsimLiveObjects"));
  for (const bool engineFirst : {false, true}) {
    std::optional<api::Engine> engine(open("plain"));
    std::optional<api::Session> session(sessionOf(*engine));
    const int32_t prompt[] = {1, 2, 3};
    ASSERT_TRUE(bool(session->generate(prompt, greedy(3))));
    EXPECT_GT(liveObjects(), 0u);
    if (engineFirst)
      engine.reset();
    session.reset();
    engine.reset();
    EXPECT_EQ(liveObjects(), 0u) << engineFirst;
  }
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

// The prompts of a full recording are run like the first one.
TEST_F(CapiTest, SelfCheckOfAFullRecording) {
  toy::ToyEngine toy = toy::toyEngine(toy::readFile(LLCUDA_TOY_IMAGE_PATH));
  for (int i = 0; i < 2; ++i)
    toy.metadata.golden_prompts.push_back(std::make_unique<fb::GoldenT>(*toy.metadata.golden));
  toy::writeFile(path("full"), toy::fileBytes(toy));
  api::Engine engine = open("full");
  api::Session session = sessionOf(engine);
  const api::SelfCheck check = session.selfCheck();
  EXPECT_TRUE(bool(check));
  EXPECT_EQ(check.report.positions, 21u);

  toy.metadata.golden_prompts[1]->top[0] = {1, toy.metadata.golden->top[0].log_probability()};
  toy::writeFile(path("full"), toy::fileBytes(toy));
  api::Engine wrong = open("full");
  api::Session wrongSession = sessionOf(wrong);
  EXPECT_EQ(wrongSession.selfCheck().error->status, LLCUDA_SELF_CHECK_FAILED);
}

// What a profile says adds up: every launch of every step, in the phases that ran.
TEST_F(CapiTest, ProfileCountsLaunches) {
  api::Engine engine = open("plain");
  api::SessionOptions options;
  options.device = LLCUDA_DEVICE_HOST;
  EXPECT_EQ(sessionOf(engine).profile().error().status, LLCUDA_USAGE);
  options.profile = true;
  auto session = engine.createSession(options);
  ASSERT_TRUE(bool(session)) << session.error().message;
  const std::vector<int32_t> prompt = {1, 2, 3};
  const api::Generated generated = session->generate(prompt, greedy(5));
  ASSERT_FALSE(generated.error);
  const auto profile = session->profile();
  ASSERT_TRUE(bool(profile));
  EXPECT_GT(profile->copy_bytes_per_second, 0);
  std::map<std::string, uint64_t> launches, bytes;
  for (const llcuda_kernel_profile& kernel : std::span(profile->kernels, profile->count)) {
    launches[std::string(kernel.phase) + std::to_string(kernel.rows) + " " + kernel.kernel] = kernel.launches;
    bytes[std::string(kernel.phase) + " " + kernel.kernel] = kernel.bytes;
    EXPECT_GT(kernel.ns, 0u);
  }
  EXPECT_EQ(launches, (std::map<std::string, uint64_t>{{"prompt4 toy_embed__f32__v97__t32", 1},
                                                       {"prompt4 toy_prompt_logits__f32__v97__t32", 1},
                                                       {"prompt4 toy_prompt_sample__f32__v97__t32", 1},
                                                       {"decode1 toy_embed__f32__v97__t32", 4},
                                                       {"decode1 toy_decode_logits__f32__v97__t32", 4},
                                                       {"decode1 toy_decode_sample__f32__v97__t32", 4}}));
  // By the work that the launch states: 1 byte, 2 and 3 of the row, 4 of each of the 4, 5, 6 and 7 keys of four steps,
  // and 7 of each of the two experts that the row chose.
  EXPECT_EQ(bytes["decode toy_embed__f32__v97__t32"], 4u * (1 + 2 + 3) + 4u * (4 + 5 + 6 + 7) + 4u * 2 * 7);
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
