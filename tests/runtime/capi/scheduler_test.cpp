// SPDX-License-Identifier: Apache-2.0
// llcuda_scheduler_* from outside: the library alone, as its users have it.
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <map>
#include <thread>

#include "tests/runtime/capi/capi_fixture.h"

namespace llcuda {
namespace {

using testing::HasSubstr;

class SchedulerApiTest : public CapiTest {
protected:
  void SetUp() override {
    CapiTest::SetUp();
    toy::ToyEngine toy = toy::toyEngine(toy::readFile(LLCUDA_TOY_IMAGE_PATH), toy::kWideBatch);
    toy::addText(toy);
    toy::writeFile(path("wide"), toy::fileBytes(toy));
    engine.emplace(open("wide"));
  }

  api::Scheduler scheduler(api::SchedulerOptions options = {}) {
    options.device = LLCUDA_DEVICE_HOST;
    auto created = engine->createScheduler(options);
    EXPECT_TRUE(bool(created)) << created.error().message;
    return std::move(*created);
  }

  api::Request request(std::string_view text, int32_t maxTokens) {
    api::Request request;
    request.tokens = *engine->tokenize(text, LLCUDA_ADD_BOS | LLCUDA_PARSE_SPECIAL);
    request.maxTokens = maxTokens;
    request.sampler = api::Sampler::greedy();
    return request;
  }

  std::optional<api::Engine> engine;
};

// Eight at once: the text and the stop of each are those of a session that has nothing else to do.
TEST_F(SchedulerApiTest, TextOfASession) {
  api::Scheduler many = scheduler();
  std::map<uint64_t, std::string> texts, expected;
  std::map<uint64_t, int32_t> stops, expectedStops;
  for (const char* text : {"a", "bc", "hello", "Q", "xyz 12", "one, two", "??", "m"}) {
    std::string alone;
    api::GenerateOptions options = greedy(20);
    options.callback = [&](const llcuda_step& step) {
      alone.append(step.text, step.text_bytes);
      return true;
    };
    api::Session session = sessionOf(*engine);
    const api::Generated generated = session.generateText(text, options);
    ASSERT_TRUE(bool(generated));
    const auto number = many.submit(request(text, 20));
    ASSERT_TRUE(bool(number)) << number.error().message;
    expected[*number] = alone;
    expectedStops[*number] = generated.metrics.stop_reason;
  }
  while (stops.size() < 8)
    for (const llcuda_event& event : many.poll(3, -1)) {
      if (event.kind == LLCUDA_EVENT_TOKEN)
        texts[event.request].append(event.text, event.text_bytes);
      ASSERT_NE(event.kind, LLCUDA_EVENT_FAILED) << event.message;
      if (event.kind == LLCUDA_EVENT_DONE)
        stops[event.request] = event.stop_reason;
    }
  EXPECT_EQ(texts, expected);
  EXPECT_EQ(stops, expectedStops);
  EXPECT_FALSE(many.drain(-1));
  const llcuda_scheduler_stats stats = many.stats();
  EXPECT_EQ(stats.done, 8u);
  EXPECT_EQ(stats.slots, toy::kWideBatch);
  EXPECT_EQ(stats.free_pages + stats.cached_pages, stats.pages);
}

// A draft engine changes no text, may be closed before the scheduler, and has to have the vocabulary of the engine.
TEST_F(SchedulerApiTest, DraftEngine) {
  const auto textOf = [&](api::Scheduler many) {
    const auto number = many.submit(request("hello", 12));
    EXPECT_TRUE(bool(number));
    std::string text;
    while (true)
      for (const llcuda_event& event : many.poll(1, -1)) {
        EXPECT_NE(event.kind, LLCUDA_EVENT_FAILED) << event.message;
        if (event.kind == LLCUDA_EVENT_TOKEN)
          text.append(event.text, event.text_bytes);
        if (event.kind == LLCUDA_EVENT_DONE || event.kind == LLCUDA_EVENT_FAILED)
          return text;
      }
  };
  const std::string plain = textOf(scheduler());
  std::optional<api::Engine> draft(open("wide"));
  api::SchedulerOptions options;
  options.draftEngine = &*draft;
  api::Scheduler guessed = scheduler(options);
  draft.reset();
  EXPECT_EQ(textOf(std::move(guessed)), plain);

  options.device = LLCUDA_DEVICE_HOST;
  options.draftEngine = &*engine;
  options.draftPMin = 2;
  EXPECT_EQ(engine->createScheduler(options).error().status, LLCUDA_USAGE);
  options.draftPMin = 0;
  toy::ToyEngine other = toy::toyEngine(toy::readFile(LLCUDA_TOY_IMAGE_PATH), toy::kWideBatch);
  toy::addText(other, toy::kPunctuation);
  toy::writeFile(path("other"), toy::fileBytes(other));
  draft.emplace(open("other"));
  options.draftEngine = &*draft;
  const auto refused = engine->createScheduler(options);
  ASSERT_FALSE(bool(refused));
  EXPECT_EQ(refused.error().status, LLCUDA_UNSUPPORTED);
  EXPECT_THAT(refused.error().message, HasSubstr("another vocabulary"));
}

// How much of a prompt others had computed is said at the start and at the end; who wants nothing of it has it so.
TEST_F(SchedulerApiTest, CachedTokens) {
  api::Scheduler many = scheduler();
  const auto cachedOf = [&](const api::Request& wanted) {
    const auto number = many.submit(wanted);
    EXPECT_TRUE(bool(number));
    uint64_t started = 0;
    while (true)
      for (const llcuda_event& event : many.poll(1, -1)) {
        if (event.kind == LLCUDA_EVENT_STARTED)
          started = event.cached_tokens;
        if (event.kind != LLCUDA_EVENT_DONE)
          continue;
        EXPECT_EQ(event.cached_tokens, started);
        EXPECT_EQ(event.prompt_tokens, wanted.tokens.size());
        return started;
      }
  };
  api::Request wanted = request("a long beginning", 2);
  ASSERT_GE(wanted.tokens.size(), 9u);
  EXPECT_EQ(cachedOf(wanted), 0u);
  const uint64_t cached = cachedOf(wanted);
  EXPECT_GE(cached, 8u);
  EXPECT_LT(cached, wanted.tokens.size());
  wanted.cacheSalt = 7;
  EXPECT_EQ(cachedOf(wanted), 0u);
  wanted.cacheSalt = 0;
  wanted.prefixCache = false;
  EXPECT_EQ(cachedOf(wanted), 0u);
  EXPECT_EQ(many.stats().cached_tokens, cached);
  EXPECT_GT(many.stats().cached_pages, 0u);
  api::SchedulerOptions options;
  options.prefixCache = false;
  many = scheduler(options);
  wanted.prefixCache = true;
  EXPECT_EQ(cachedOf(wanted), 0u);
  EXPECT_EQ(cachedOf(wanted), 0u);
  EXPECT_EQ(many.stats().cached_pages, 0u);
}

// A request on hold says nothing until it goes on; the thread that works sleeps meanwhile, and others are answered.
TEST_F(SchedulerApiTest, OnHold) {
  api::SchedulerOptions options;
  options.slots = 1;
  api::Scheduler one = scheduler(options);
  api::Request wanted = request("abc", 20);
  wanted.ignoreStop = true;
  const uint64_t slow = *one.submit(wanted);
  one.hold(slow, true);
  one.hold(slow + 100, true); // nobody
  wanted.fairKey = "somebody";
  const uint64_t quick = *one.submit(wanted);
  uint32_t ofSlow = 0, ofQuick = 0;
  for (bool ended = false; !ended;)
    for (const llcuda_event& event : one.poll(1, -1)) {
      (event.request == slow ? ofSlow : ofQuick) += event.kind == LLCUDA_EVENT_TOKEN && event.token >= 0;
      ended |= event.request == quick && event.kind == LLCUDA_EVENT_DONE;
    }
  EXPECT_EQ(ofQuick, 20u);
  EXPECT_LT(ofSlow, 20u);
  EXPECT_TRUE(one.poll(1, 50).empty());
  one.hold(slow, false);
  for (bool ended = false; !ended;)
    for (const llcuda_event& event : one.poll(1, -1)) {
      ofSlow += event.kind == LLCUDA_EVENT_TOKEN && event.token >= 0;
      ended |= event.kind == LLCUDA_EVENT_DONE;
    }
  EXPECT_EQ(ofSlow, 20u);
  llcuda_request broken;
  llcuda_request_init(&broken);
  broken.tokens = wanted.tokens.data();
  broken.count = wanted.tokens.size();
  broken.fair_key_bytes = 3;
  llcuda_engine* opened = nullptr;
  llcuda_scheduler* plain = nullptr;
  llcuda_error error;
  ASSERT_EQ(llcuda_engine_open(path("wide").c_str(), &opened, &error), LLCUDA_OK);
  llcuda_scheduler_options c;
  llcuda_scheduler_options_init(&c);
  c.device = LLCUDA_DEVICE_HOST;
  ASSERT_EQ(llcuda_scheduler_create(opened, &c, &plain, &error), LLCUDA_OK);
  uint64_t number = 0;
  EXPECT_EQ(llcuda_scheduler_submit(plain, &broken, &number, &error), LLCUDA_USAGE);
  EXPECT_STREQ(error.message, "fair_key is NULL and fair_key_bytes is 3");
  broken.fair_key_bytes = 0;
  broken.task = LLCUDA_TASK_EMBED;
  broken.pooling = 9;
  EXPECT_EQ(llcuda_scheduler_submit(plain, &broken, &number, &error), LLCUDA_USAGE);
  llcuda_scheduler_destroy(plain);
  llcuda_engine_close(opened);
}

// The engine may go before its scheduler; events carry what was given along.
TEST_F(SchedulerApiTest, UserAndSeedAndStopString) {
  api::Scheduler many = scheduler();
  int mark = 0;
  api::Request wanted = request("abc", 20);
  wanted.user = &mark;
  wanted.sampler->temperature = 1;
  wanted.sampler->seed = 99;
  wanted.logprobs = 1;
  wanted.ignoreStop = true;
  wanted.stop = {"no such text", std::string("\0", 1)};
  engine.reset();
  ASSERT_TRUE(bool(many.submit(wanted)));
  std::vector<int32_t> kinds;
  uint32_t tokens = 0;
  while (kinds.empty() || kinds.back() != LLCUDA_EVENT_DONE)
    for (const llcuda_event& event : many.poll(1, -1)) {
      EXPECT_EQ(event.user, &mark);
      EXPECT_EQ(event.struct_bytes, sizeof(event));
      kinds.push_back(event.kind);
      EXPECT_EQ(event.seed, event.kind == LLCUDA_EVENT_STARTED ? 99u : 0u);
      if (event.kind == LLCUDA_EVENT_TOKEN && event.token >= 0) {
        EXPECT_EQ(event.index, tokens++);
        ASSERT_EQ(event.top_count, 1u);
        EXPECT_GE(event.top->log_probability, event.log_probability);
      }
      if (event.kind == LLCUDA_EVENT_DONE) {
        EXPECT_EQ(event.generated_tokens, 20u);
        EXPECT_EQ(event.prompt_tokens, 4u);
        EXPECT_EQ(event.stop_string, -1);
        EXPECT_GE(event.total_ns, event.first_token_ns);
      }
    }
  EXPECT_EQ(kinds.front(), LLCUDA_EVENT_STARTED);
}

// A caller of an older header has shorter events: they lie as close as it thinks, and nothing is written beyond.
TEST_F(SchedulerApiTest, ShorterEvents) {
  api::Scheduler many = scheduler();
  ASSERT_TRUE(bool(many.submit(request("abc", 4))));
  ASSERT_FALSE(many.drain(-1));
  constexpr std::size_t kShort = offsetof(llcuda_event, text_bytes) + sizeof(std::size_t);
  llcuda_scheduler_options options;
  llcuda_scheduler_options_init(&options);
  options.device = LLCUDA_DEVICE_HOST;
  llcuda_engine* opened = nullptr;
  llcuda_scheduler* plain = nullptr;
  llcuda_error error;
  ASSERT_EQ(llcuda_engine_open(path("wide").c_str(), &opened, &error), LLCUDA_OK);
  ASSERT_EQ(llcuda_scheduler_create(opened, &options, &plain, &error), LLCUDA_OK) << error.message;
  const int32_t token = 5;
  llcuda_sampler sampler;
  llcuda_sampler_init(&sampler);
  sampler.has_seed = 1;
  llcuda_request wanted;
  llcuda_request_init(&wanted);
  wanted.sampler = &sampler;
  wanted.tokens = &token;
  wanted.count = 1;
  wanted.max_tokens = 3;
  wanted.ignore_stop = 1;
  uint64_t number = 0;
  ASSERT_EQ(llcuda_scheduler_submit(plain, &wanted, &number, &error), LLCUDA_OK) << error.message;
  EXPECT_EQ(number, 1u);
  ASSERT_EQ(llcuda_scheduler_drain(plain, -1, &error), LLCUDA_OK);
  std::vector<std::byte> bytes(8 * kShort + 64, std::byte{0x5a});
  std::memcpy(bytes.data(), &kShort, sizeof(kShort));
  const std::size_t count = llcuda_scheduler_poll(plain, reinterpret_cast<llcuda_event*>(bytes.data()), 8, -1);
  EXPECT_EQ(count, 5u);
  for (std::size_t i = 0; i < count; ++i) {
    llcuda_event event = {};
    std::memcpy(&event, bytes.data() + i * kShort, kShort);
    EXPECT_EQ(event.struct_bytes, kShort);
    EXPECT_EQ(event.kind, i == 0 ? LLCUDA_EVENT_STARTED : i == 4 ? LLCUDA_EVENT_DONE : LLCUDA_EVENT_TOKEN);
  }
  EXPECT_EQ(bytes[count * kShort], std::byte{0x5a});
  llcuda_scheduler_destroy(plain);
  llcuda_engine_close(opened);
}

TEST_F(SchedulerApiTest, RefusalsAndCancel) {
  api::SchedulerOptions options;
  options.slots = 1;
  options.queue = 1;
  api::Scheduler one = scheduler(options);
  api::Request wanted = request("a", 5);
  wanted.sampler->topP = 0;
  EXPECT_THAT(one.submit(wanted).error().message, HasSubstr("top_p is 0"));
  wanted = request("a", 5);
  wanted.tokens.resize(40);
  EXPECT_EQ(one.submit(wanted).error().status, LLCUDA_USAGE);
  EXPECT_THAT(one.submit(wanted).error().message, HasSubstr("40 tokens exceeds the available context size of 30"));
  uint64_t last = 0;
  for (;;) {
    const auto number = one.submit(request("abc", 20));
    if (!number) {
      EXPECT_EQ(number.error().status, LLCUDA_BUSY);
      break;
    }
    last = *number;
  }
  one.cancel(last);
  one.cancel(last + 100); // nobody
  for (bool ended = false; !ended;)
    for (const llcuda_event& event : one.poll(1, -1))
      if (event.request == last && (event.kind == LLCUDA_EVENT_FAILED || event.kind == LLCUDA_EVENT_DONE)) {
        ended = true;
        EXPECT_TRUE(event.kind == LLCUDA_EVENT_DONE || event.status == LLCUDA_CANCELLED) << event.message;
      }
  options.slots = 9;
  options.device = LLCUDA_DEVICE_HOST;
  EXPECT_THAT(engine->createScheduler(options).error().message, HasSubstr("the engine decodes 8"));
  EXPECT_STREQ(llcuda_status_name(LLCUDA_BUSY), "LLCUDA_BUSY");
}

// Submitted and read by several threads; each event once.
TEST_F(SchedulerApiTest, ManyThreads) {
  api::SchedulerOptions options;
  options.queue = 1000;
  api::Scheduler many = scheduler(options);
  std::atomic<int> ended = 0, tokens = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 15; ++i) EXPECT_TRUE(bool(many.submit(request("ab", 6))));
      while (ended < 60)
        for (const llcuda_event& event : many.poll(4, 20)) {
          tokens += event.kind == LLCUDA_EVENT_TOKEN && event.token >= 0;
          ended += event.kind == LLCUDA_EVENT_DONE;
        }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ended, 60);
  EXPECT_EQ(tokens % 60, 0);
}

// Log-probabilities of the prompt, then the answer; and an embedding, which has values and no tokens.
TEST_F(SchedulerApiTest, PromptTokensAndEmbeddings) {
  api::Scheduler many = scheduler();
  api::Request scored = request("abcd", 2);
  scored.promptLogprobs = 3;
  api::Request embedded = request("abcd", 2);
  embedded.task = LLCUDA_TASK_EMBED;
  embedded.pooling = LLCUDA_POOLING_LAST;
  const auto first = many.submit(scored), second = many.submit(embedded);
  ASSERT_TRUE(bool(first) && bool(second));
  std::vector<uint32_t> indices;
  uint32_t tokens = 0, embeddings = 0;
  for (uint32_t ended = 0; ended < 2;)
    for (const llcuda_event& event : many.poll(2, -1)) {
      ASSERT_NE(event.kind, LLCUDA_EVENT_FAILED) << event.message;
      ended += event.kind == LLCUDA_EVENT_DONE;
      EXPECT_EQ(event.value_count, event.kind == LLCUDA_EVENT_EMBEDDING ? 1u : 0u);
      if (event.kind == LLCUDA_EVENT_EMBEDDING) {
        EXPECT_EQ(event.request, *second);
        EXPECT_EQ(event.values[0], 1.f);
        ++embeddings;
      }
      if (event.kind == LLCUDA_EVENT_TOKEN)
        ++tokens;
      if (event.kind != LLCUDA_EVENT_PROMPT_TOKEN)
        continue;
      EXPECT_EQ(event.request, *first);
      EXPECT_EQ(tokens, 0u);
      EXPECT_EQ(event.top_count, 3u);
      EXPECT_GE(event.top[0].log_probability, event.log_probability);
      EXPECT_EQ(event.token, scored.tokens[event.index]);
      indices.push_back(event.index);
    }
  EXPECT_EQ(indices.size() + 1, scored.tokens.size());
  EXPECT_EQ(embeddings, 1u);
  EXPECT_EQ(tokens, 2u);
}

// An answer of a grammar, and one that is free up to its trigger; a grammar of another engine is refused.
TEST_F(SchedulerApiTest, Grammars) {
  toy::ToyEngine toy = toy::toyEngine(toy::readFile(LLCUDA_TOY_IMAGE_PATH), toy::kWideBatch);
  toy::addMasks(toy);
  toy::addText(toy, toy::kPunctuation);
  toy::writeFile(path("masks"), toy::fileBytes(toy));
  const auto foreign = engine->createGrammar(LLCUDA_GRAMMAR_REGEX, "[0-9]{3}");
  ASSERT_TRUE(bool(foreign));
  engine.emplace(open("masks"));
  api::SchedulerOptions options;
  options.maskWorkers = 2;
  api::Scheduler many = scheduler(options);
  api::Request digits = request("hello", 20);
  digits.sampler->seed = 7; // the toy's prompts draw where masks may come
  api::Request behind = digits;
  digits.grammar = behind.grammar = *engine->createGrammar(LLCUDA_GRAMMAR_REGEX, "[0-9]{3}");
  digits.ignoreStop = true;
  std::map<uint64_t, std::string> texts;
  const auto textOf = [&](const api::Request& one) {
    const auto number = many.submit(one);
    EXPECT_TRUE(bool(number)) << number.error().message;
    for (;;)
      for (const llcuda_event& event : many.poll(1, -1)) {
        if (event.kind == LLCUDA_EVENT_TOKEN)
          texts[event.request].append(event.text, event.text_bytes);
        EXPECT_NE(event.kind, LLCUDA_EVENT_FAILED) << event.message;
        if (event.kind == LLCUDA_EVENT_DONE || event.kind == LLCUDA_EVENT_FAILED)
          return texts[event.request];
      }
  };
  EXPECT_THAT(textOf(digits), testing::MatchesRegex("[0-9][0-9][0-9]"));
  behind.grammarTriggers = {"no such text"};
  const std::string free = textOf(behind);
  std::size_t first = 0; // a character of a token of its own: there are "aa", "bb", ... too
  while (first + 1 < free.size() &&
         (free[first] <= ' ' || free[first] > '~' || free[first + 1] == free[first] || free.find(free[first]) != first))
    ++first;
  ASSERT_LT(first + 1, free.size()) << free;
  behind.grammarTriggers.emplace_back(1, free[first]);
  const std::string found = textOf(behind), kept = free.substr(0, first + 1);
  EXPECT_TRUE(found.starts_with(kept)) << found << " of " << free;
  EXPECT_THAT(found.substr(kept.size()), testing::MatchesRegex("[0-9][0-9][0-9]"));
  digits.grammar = *foreign;
  EXPECT_EQ(many.submit(digits).error().status, LLCUDA_USAGE);
  digits.grammar.reset();
  digits.grammarTriggers = {"a"};
  EXPECT_EQ(many.submit(digits).error().status, LLCUDA_USAGE);
  for (const auto& wrong :
       {std::pair(&api::SchedulerOptions::draftMax, 64u), std::pair(&api::SchedulerOptions::draftMin, 16u),
        std::pair(&api::SchedulerOptions::ngramSize, 65u)}) {
    api::SchedulerOptions speculating;
    speculating.device = LLCUDA_DEVICE_HOST;
    speculating.speculation = LLCUDA_SPECULATION_NGRAM;
    speculating.*wrong.first = wrong.second;
    EXPECT_EQ(engine->createScheduler(speculating).error().status, LLCUDA_USAGE);
  }
  options.maskWorkers = 1000;
  options.device = LLCUDA_DEVICE_HOST;
  EXPECT_EQ(engine->createScheduler(options).error().status, LLCUDA_USAGE);
}

} // namespace
} // namespace llcuda
