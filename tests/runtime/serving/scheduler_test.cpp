// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/scheduler.h"

#include <random>
#include <set>

#include <gmock/gmock.h>
#include <poll.h>

#include "tests/runtime/serving/toy_scheduler.h"

namespace llcuda::serving {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::chrono::milliseconds kLong(20000);

class SchedulerTest : public toy::ScheduledTest {
protected:
  SchedulerTest() : ScheduledTest(toy::servedToy()) {}

  /// Until `count` requests have ended.
  void hearUntilEnded(std::size_t count) {
    while (ended() < count) {
      std::vector<Event> events = scheduler->poll(5, kLong);
      ASSERT_FALSE(events.empty()) << "nothing comes";
      for (Event& event : events) toy::hear(said, std::move(event));
    }
  }
  /// What a request says when nobody else is there.
  toy::Said alone(const RequestOptions& request) {
    const uint64_t id = submit(request);
    hearUntilEnded(said.size() + 1);
    return said[id];
  }
};

// Text and tokens of eight requests together are those of each alone: greedy and drawn, with stop tokens and strings,
// with pages for all and for a few.
TEST_F(SchedulerTest, TogetherAsAlone) {
  std::vector<RequestOptions> requests;
  for (int32_t i = 0; i < 8; ++i) {
    requests.push_back(toy::greedyRequest(11 * i + 2, static_cast<uint32_t>(2 + i), 22));
    requests.back().ignoreStop = i % 2 == 0;
    requests.back().specialText = i % 3 == 0;
    if (i >= 4) {
      requests.back().sampling.chain = 1;
      requests.back().sampling.seed = static_cast<uint64_t>(i);
    }
    requests.back().stops = {"Q7", "e"};
  }
  open();
  std::vector<toy::Said> expected;
  for (const RequestOptions& request : requests) expected.push_back(alone(request));
  EXPECT_EQ(scheduler->stats().pauses, 0u);
  for (const uint32_t pages : {64u, 17u}) {
    open({.cacheBytes = toy::cacheBytes(*toy.engine, pages), .hostCacheBytes = 1 << 20});
    for (int round = 0; round < 5; ++round) {
      said.clear();
      std::vector<uint64_t> ids;
      for (const RequestOptions& request : requests) ids.push_back(submit(request));
      hearUntilEnded(8);
      for (std::size_t i = 0; i < 8; ++i) {
        EXPECT_EQ(said[ids[i]].tokens, expected[i].tokens) << i;
        EXPECT_EQ(said[ids[i]].text, expected[i].text) << i;
        EXPECT_EQ(said[ids[i]].last.stop, expected[i].last.stop) << i;
      }
    }
  }
}

// Whoever has heard a request's end finds it counted, and its place empty.
TEST_F(SchedulerTest, AnEndIsCountedBeforeItIsSaid) {
  open();
  for (uint64_t round = 1; round <= 100; ++round) {
    submit(toy::greedyRequest(static_cast<int32_t>(round % 20), 3, 5));
    hearUntilEnded(round);
    const Stats stats = scheduler->stats();
    ASSERT_EQ(stats.done, round);
    ASSERT_EQ(stats.waiting + stats.prompts + stats.generating + stats.paused, 0u);
    ASSERT_EQ(stats.freePages + stats.cachedPages, stats.pages);
  }
}

// 50 clients vanish at random moments, waiting, in their prompt, while they generate, while they are paused; ten others
// get what they are owed, and every page comes back.
TEST_F(SchedulerTest, FiftyVanish) {
  open({.cacheBytes = toy::cacheBytes(*toy.engine, 15), .hostCacheBytes = 4000, .queue = 100});
  const uint32_t freePages = scheduler->stats().freePages;
  std::mt19937 random(7);
  std::map<uint64_t, RequestOptions> stays;
  std::map<uint64_t, uint32_t> leavesAfter; // events
  for (int32_t i = 0; i < 60; ++i) {
    RequestOptions request = toy::greedyRequest(i, 1 + random() % 14, 16);
    const uint64_t id = submit(request);
    if (i % 6 == 0)
      stays.emplace(id, request);
    else if (const uint32_t events = random() % 14; events == 0)
      scheduler->cancel(id);
    else
      leavesAfter.emplace(id, events);
  }
  std::set<uint64_t> ended;
  while (ended.size() < 60) {
    std::vector<Event> events = scheduler->poll(1, kLong);
    ASSERT_FALSE(events.empty());
    const uint64_t id = events[0].request;
    toy::hear(said, std::move(events[0]));
    if (said[id].hasEnded())
      ended.insert(id);
    if (const auto found = leavesAfter.find(id); found != leavesAfter.end() && --found->second == 0) {
      scheduler->cancel(id);
      leavesAfter.erase(found);
    }
  }
  for (const auto& [id, request] : stays) {
    EXPECT_EQ(said[id].last.kind, EventKind::kDone);
    EXPECT_EQ(said[id].tokens, toy::continuation(request.tokens, 16));
  }
  ASSERT_TRUE(scheduler->drain(kLong).ok());
  const Stats stats = scheduler->stats();
  EXPECT_EQ(stats.freePages + stats.cachedPages, freePages);
  EXPECT_EQ(stats.hostBytes, 0u);
  EXPECT_EQ(stats.done + stats.cancelled, 60u);
  EXPECT_GT(stats.cancelled, 20u);
  EXPECT_GT(stats.pauses, 0u);
}

// A stop string that begins in one token and ends in another is found, is not part of the text, and what could have
// become one comes out in the end.
TEST_F(SchedulerTest, StopStringsAcrossTokens) {
  open();
  RequestOptions request = toy::greedyRequest(40, 5, 20);
  const toy::Said whole = alone(request);
  ASSERT_GE(whole.text.size(), 8u);
  for (std::size_t at = 1; at + 3 < whole.text.size(); ++at) {
    const std::string stop = whole.text.substr(at, 3);
    request.stops = {"never", stop};
    const toy::Said cut = alone(request);
    EXPECT_EQ(cut.text, whole.text.substr(0, whole.text.find(stop)));
    EXPECT_EQ(cut.last.stop, StopReason::kString);
    EXPECT_EQ(cut.last.stopString, 1);
  }
  request.stops = {whole.text + "x"};
  EXPECT_EQ(alone(request).text, whole.text);
  ASSERT_TRUE(scheduler->drain(kLong).ok());
  EXPECT_EQ(scheduler->stats().freePages + scheduler->stats().cachedPages, scheduler->stats().pages);
}

TEST_F(SchedulerTest, LogProbabilities) {
  open();
  RequestOptions request = toy::greedyRequest(40, 5, 3);
  request.logprobs = 2;
  const uint64_t id = submit(request);
  submit(toy::greedyRequest(41, 5, 3)); // one that does not ask
  std::vector<int32_t> tokens = request.tokens;
  uint32_t count = 0;
  for (uint32_t ended = 0; ended < 2;)
    for (const Event& event : scheduler->poll(1, kLong)) {
      ended += event.kind == EventKind::kDone;
      if (event.kind != EventKind::kToken)
        continue;
      EXPECT_EQ(event.top.size(), event.request == id ? 2u : 0u);
      if (event.request != id)
        continue;
      const std::vector<float> logits = toy::logits(tokens);
      const auto expected = LogProbabilities::of(logits);
      EXPECT_FLOAT_EQ(event.logProbability, (*expected)[event.token]);
      EXPECT_EQ(event.top[0].token, event.token);
      EXPECT_FLOAT_EQ(event.top[1].logProbability, event.logProbability - toy::kLogitStep);
      tokens.push_back(event.token);
      ++count;
    }
  EXPECT_EQ(count, 3u);
}

// Up to 20 candidates come from the device's scores, more from whole logits: the same numbers, and of one token the
// same float wherever it stands.
TEST_F(SchedulerTest, LogProbabilitiesByEitherWay) {
  open();
  RequestOptions few = toy::greedyRequest(40, 5, 4), many = few;
  few.logprobs = kTopTokens;
  many.logprobs = kTopTokens + 1;
  std::map<uint64_t, std::vector<Event>> told;
  const uint64_t fewId = submit(few), manyId = submit(many);
  for (uint32_t ended = 0; ended < 2;)
    for (Event& event : scheduler->poll(1, kLong)) {
      ended += event.kind == EventKind::kDone;
      if (event.kind == EventKind::kToken)
        told[event.request].push_back(std::move(event));
    }
  ASSERT_EQ(told[fewId].size(), 4u);
  ASSERT_EQ(told[manyId].size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    const Event &one = told[fewId][i], &other = told[manyId][i];
    EXPECT_NEAR(one.logProbability, other.logProbability, 1e-5);
    ASSERT_EQ(one.top.size(), std::size_t{kTopTokens});
    ASSERT_EQ(other.top.size(), std::size_t{kTopTokens} + 1);
    for (std::size_t rank = 0; rank < one.top.size(); ++rank) {
      EXPECT_EQ(one.top[rank].token, other.top[rank].token);
      EXPECT_NEAR(one.top[rank].logProbability, other.top[rank].logProbability, 1e-5);
    }
    EXPECT_EQ(one.top[0].logProbability, one.logProbability);
    EXPECT_EQ(other.top[0].logProbability, other.logProbability);
  }
}

// Each token of a prompt from the second on, once and in order, in front of the answer's: of several requests at a
// time, with and without an answer, beside those that do not ask, and where pages are so few that they are paused and
// computed again.
TEST_F(SchedulerTest, PromptLogProbabilities) {
  for (const uint32_t pages : {64u, 17u}) {
    open({.cacheBytes = toy::cacheBytes(*toy.engine, pages)});
    std::map<uint64_t, RequestOptions> asked;
    for (int32_t i = 0; i < 6; ++i) {
      RequestOptions request = toy::greedyRequest(9 * i, static_cast<uint32_t>(1 + 4 * i), i % 2 == 0 ? 0 : 8);
      request.promptLogprobs = i % 3;
      asked.emplace(submit(request), request);
      submit(toy::greedyRequest(9 * i + 1, static_cast<uint32_t>(3 + i), 18));
    }
    std::map<uint64_t, uint32_t> index, tokens;
    for (uint32_t ended = 0; ended < 12;)
      for (const Event& event : scheduler->poll(1, kLong)) {
        ASSERT_NE(event.kind, EventKind::kFailed) << event.error.message;
        ended += event.kind == EventKind::kDone;
        tokens[event.request] += event.kind == EventKind::kToken && event.token >= 0;
        if (event.kind != EventKind::kPromptToken)
          continue;
        ASSERT_TRUE(asked.contains(event.request));
        const RequestOptions& request = asked[event.request];
        EXPECT_EQ(tokens[event.request], 0u);
        ASSERT_EQ(event.index, ++index[event.request]);
        EXPECT_EQ(event.token, request.tokens[event.index]);
        const std::vector<float> logits = toy::logits(std::span(request.tokens).first(event.index));
        const auto expected = LogProbabilities::of(logits);
        EXPECT_NEAR(event.logProbability, (*expected)[event.token], 1e-5);
        ASSERT_EQ(event.top.size(), static_cast<std::size_t>(request.promptLogprobs));
        if (!event.top.empty()) {
          EXPECT_EQ(event.top[0].token, toy::nextToken(std::span(request.tokens).first(event.index)));
        }
      }
    for (const auto& [id, request] : asked) {
      EXPECT_EQ(index[id] + 1, request.tokens.size());
      EXPECT_EQ(tokens[id], static_cast<uint32_t>(request.maxTokens));
    }
    ASSERT_TRUE(scheduler->drain(kLong).ok());
    EXPECT_EQ(scheduler->stats().freePages + scheduler->stats().cachedPages, scheduler->stats().pages);
    EXPECT_EQ(scheduler->stats().pauses != 0, pages == 17);
  }
}

// Embeddings beside requests that generate: one event and the end, no row of a decode step, and nobody else's text
// changes. The toy's rows have one value, so that a sum of length 1 is 1.
TEST_F(SchedulerTest, Embeddings) {
  open();
  const RequestOptions generates = toy::greedyRequest(7, 9, 12);
  const toy::Said expected = alone(generates);
  said.clear();
  const uint64_t text = submit(generates);
  std::set<uint64_t> embeds;
  for (const Pooling pooling : {Pooling::kDefault, Pooling::kMean, Pooling::kLast, Pooling::kCls}) {
    RequestOptions request = toy::greedyRequest(1, 11, 5);
    request.task = Task::kEmbed;
    request.pooling = pooling;
    embeds.insert(submit(request));
  }
  uint32_t embeddings = 0;
  const uint64_t rowsBefore = scheduler->stats().rows;
  for (uint32_t ended = 0; ended < 5;)
    for (Event& event : scheduler->poll(1, kLong)) {
      ended += event.kind == EventKind::kDone;
      if (event.kind == EventKind::kEmbedding) {
        EXPECT_TRUE(embeds.contains(event.request));
        EXPECT_THAT(event.values, ElementsAre(1.f));
        ++embeddings;
      }
      if (event.kind == EventKind::kDone && embeds.contains(event.request)) {
        EXPECT_EQ(event.stop, StopReason::kLength);
        EXPECT_EQ(event.metrics.generatedTokens, 0u);
      }
      toy::hear(said, std::move(event));
    }
  EXPECT_EQ(embeddings, 4u);
  EXPECT_EQ(said[text].tokens, expected.tokens);
  for (const uint64_t id : embeds) EXPECT_TRUE(said[id].tokens.empty());
  ASSERT_TRUE(scheduler->drain(kLong).ok());
  EXPECT_LE(scheduler->stats().rows - rowsBefore, 11u);
  EXPECT_EQ(scheduler->stats().freePages + scheduler->stats().cachedPages, scheduler->stats().pages);
}

TEST_F(SchedulerTest, WhatIsRefused) {
  open({.context = 12});
  const auto refusal = [&](RequestOptions request) {
    const auto id = scheduler->submit(std::move(request));
    EXPECT_FALSE(id.ok());
    return id ? std::string() : id.error().message;
  };
  EXPECT_THAT(refusal({}), HasSubstr("the prompt has no tokens"));
  EXPECT_THAT(refusal(toy::greedyRequest(1, 13, 1)),
              HasSubstr("the prompt of 13 tokens exceeds the available context size of 12 positions"));
  RequestOptions request = toy::greedyRequest(1, 2, 1);
  request.tokens[1] = 97;
  EXPECT_THAT(refusal(request), HasSubstr("token 1 is 97, the vocabulary has 97"));
  request = toy::greedyRequest(1, 2, -2);
  EXPECT_THAT(refusal(request), HasSubstr("max_tokens is -2"));
  request = toy::greedyRequest(1, 2, 1);
  request.promptLogprobs = 21;
  EXPECT_THAT(refusal(request), HasSubstr("prompt_logprobs is 21, allowed are -1 to 20"));
  request.promptLogprobs = 3;
  request.task = Task::kEmbed;
  EXPECT_THAT(refusal(request), HasSubstr("an embedding has no log-probabilities"));
  request = toy::greedyRequest(1, 2, 1);
  request.stops = {"a", ""};
  EXPECT_THAT(refusal(request), HasSubstr("stop string 1 is empty"));
  EXPECT_EQ(Scheduler::create(toy.program, toy.text(), {.slots = 9}).error().message,
            "9 requests at a time were asked for, the engine decodes 8; compile it with --max-batch 9");
  EXPECT_THAT(Scheduler::create(toy.program, toy.text(), {.context = 31}).error().message,
              HasSubstr("the engine has 30; compile it with -c 31"));
  auto withoutText = Scheduler::create(toy.program, {}, {});
  ASSERT_TRUE(withoutText.ok());
  request.stops = {"a"};
  EXPECT_EQ((*withoutText)->submit(request).error().code, ErrorCode::kUnsupported);
}

// Slots and queue are numbers apart; who finds no place is told so, and may come later.
TEST_F(SchedulerTest, TheQueueIsFull) {
  open({.slots = 1, .queue = 2});
  uint32_t accepted = 0;
  Result<uint64_t> last = uint64_t{0};
  while (accepted < 500 && (last = scheduler->submit(toy::greedyRequest(1, 20, 11)))) ++accepted;
  ASSERT_FALSE(last.ok());
  EXPECT_EQ(last.error().code, ErrorCode::kBusy);
  EXPECT_THAT(last.error().message, HasSubstr("requests wait, no more may"));
  EXPECT_GE(accepted, 2u);
  hearUntilEnded(accepted);
  submit(toy::greedyRequest(1, 20, 11));
  hearUntilEnded(accepted + 1);
}

// What was accepted ends by itself, or is cut off in time.
TEST_F(SchedulerTest, Drain) {
  open({.queue = 1000});
  for (int32_t i = 0; i < 20; ++i) submit(toy::greedyRequest(i, 4, 20));
  EXPECT_TRUE(scheduler->drain(kLong).ok());
  EXPECT_EQ(scheduler->stats().done, 20u);
  EXPECT_THAT(scheduler->submit(toy::greedyRequest(1, 4, 2)).error().message, HasSubstr("no more requests"));
  open({.slots = 1, .queue = 1000});
  for (int32_t i = 0; i < 900; ++i) submit(toy::greedyRequest(i, 4, 20));
  const auto cut = scheduler->drain(std::chrono::milliseconds(1));
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().code, ErrorCode::kCancelled);
  hearUntilEnded(900);
  EXPECT_EQ(scheduler->stats().freePages + scheduler->stats().cachedPages, scheduler->stats().pages);
}

// The descriptor says when there is something to read, and when there is not.
TEST_F(SchedulerTest, DescriptorOfEvents) {
  open();
  pollfd descriptor = {scheduler->fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&descriptor, 1, 0), 0);
  submit(toy::greedyRequest(1, 4, 6));
  while (said.empty() || !said.begin()->second.hasEnded()) {
    ASSERT_EQ(::poll(&descriptor, 1, 60000), 1);
    for (Event& event : scheduler->poll(2, std::chrono::milliseconds(0))) toy::hear(said, std::move(event));
  }
  EXPECT_EQ(::poll(&descriptor, 1, 0), 0);
}

// A device that breaks ends every request, and those that come later; nobody waits for ever.
TEST_F(SchedulerTest, AFaultEndsAll) {
  const toy::HostsimControl hostsim;
  open({.queue = 100});
  for (int32_t i = 0; i < 20; ++i) submit(toy::greedyRequest(i, 4, 20));
  ASSERT_TRUE(hostsim.failCall(40, 719));
  hearUntilEnded(20);
  EXPECT_TRUE(hostsim.struck());
  hostsim.disarm();
  uint32_t failed = 0;
  for (const auto& [id, one] : said) failed += one.last.kind == EventKind::kFailed;
  EXPECT_GT(failed, 0u);
  const uint64_t later = submit(toy::greedyRequest(1, 4, 2));
  hearUntilEnded(21);
  EXPECT_EQ(said[later].last.error.code, ErrorCode::kInternal);
}

// It goes while requests run, wait and are paused: nothing of the device is left.
TEST_F(SchedulerTest, GoesWhileRequestsRun) {
  const toy::HostsimControl hostsim;
  const uint64_t before = hostsim.liveObjects();
  for (int round = 0; round < 10; ++round) {
    open({.cacheBytes = toy::cacheBytes(*toy.engine, 12), .hostCacheBytes = 1 << 20, .queue = 100});
    for (int32_t i = 0; i < 30; ++i) submit(toy::greedyRequest(i, 6, 20));
    for (int events = 0; events < 5 * round;) events += static_cast<int>(scheduler->poll(1, kLong).size());
    scheduler.reset();
    EXPECT_EQ(hostsim.liveObjects(), before);
  }
}

} // namespace
} // namespace llcuda::serving
