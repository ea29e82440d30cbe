// SPDX-License-Identifier: Apache-2.0
// Step by step, without threads.
#include "runtime/serving/engine_loop.h"

#include <gmock/gmock.h>

#include "tests/runtime/serving/toy_loop.h"

namespace llcuda::serving {
namespace {

using testing::ElementsAre;

class EngineLoopTest : public toy::LoopTest {};

// All at once, with pages for all, for some, and for hardly one; paused ones in host memory, or computed again: every
// text is that of the formula, and every page comes back.
TEST_F(EngineLoopTest, EightTogetherWhateverThePages) {
  for (const uint32_t pages : {64u, 30u, 17u, 8u})
    for (const uint64_t hostBytes : {uint64_t{0}, uint64_t{2000}, UINT64_MAX}) {
      open(pages, hostBytes);
      const uint32_t freePages = loop->stats().freePages;
      const std::vector<RequestOptions> requests = eight();
      for (const RequestOptions& request : requests) submit(request);
      run();
      for (uint64_t i = 0; i < requests.size(); ++i) expectRight(i + 1, requests[i]);
      const Stats stats = loop->stats();
      EXPECT_EQ(stats.freePages + stats.cachedPages, freePages);
      EXPECT_EQ(stats.hostBytes, 0u);
      EXPECT_EQ(stats.done, 8u);
      EXPECT_EQ(stats.pauses > 0, pages != 64) << pages;
      EXPECT_TRUE(hostBytes == 2000 || (stats.recomputed > 0) == (stats.pauses > 0 && hostBytes == 0)) << hostBytes;
      EXPECT_EQ(
          stats.generatedTokens, 8 * toy::kMaxContext + 8 - [&] {
            uint64_t prompts = 0;
            for (const RequestOptions& request : requests) prompts += request.tokens.size();
            return prompts;
          }());
    }
}

// They come at any time and end at any time: rows join, leave and move.
TEST_F(EngineLoopTest, ComingAndGoing) {
  open(64, UINT64_MAX);
  std::vector<RequestOptions> requests;
  for (int32_t i = 0; i < 40; ++i)
    requests.push_back(toy::greedyRequest(i, static_cast<uint32_t>(1 + i % 11), 1 + i * 3 % 14));
  for (const RequestOptions& request : requests) {
    submit(request);
    for (uint64_t steps = nextId % 3; steps > 0; --steps) step();
  }
  run();
  for (uint64_t i = 0; i < requests.size(); ++i) expectRight(i + 1, requests[i]);
}

// All but the first leave after each number of steps, in whatever state they are: the first does not notice, and every
// page comes back within the step.
TEST_F(EngineLoopTest, CancelInEveryState) {
  uint32_t waiting = 0, prompts = 0, generating = 0, paused = 0;
  for (uint32_t steps = 0; steps < 40; ++steps) {
    open(17, UINT64_MAX);
    const uint32_t freePages = loop->stats().freePages;
    const std::vector<RequestOptions> requests = eight();
    for (const RequestOptions& request : requests) submit(request);
    for (uint32_t i = 0; i < steps && !loop->isIdle(); ++i) step();
    const Stats before = loop->stats();
    waiting += before.waiting, prompts += before.prompts, generating += before.generating, paused += before.paused;
    for (uint64_t id = 2; id <= 8; ++id) ASSERT_TRUE(loop->cancel(id).ok());
    const Stats stats = loop->stats();
    EXPECT_EQ(stats.waiting + stats.prompts + stats.generating + stats.paused, said[1].hasEnded() ? 0u : 1u);
    EXPECT_EQ(stats.hostBytes != 0, stats.paused != 0);
    run();
    expectRight(1, requests[0]);
    for (uint64_t id = 2; id <= 8; ++id) {
      ASSERT_TRUE(said[id].hasEnded());
      EXPECT_TRUE(said[id].last.kind == EventKind::kDone || said[id].last.error.code == ErrorCode::kCancelled);
    }
    EXPECT_EQ(loop->stats().freePages + loop->stats().cachedPages, freePages);
  }
  for (const uint32_t seen : {waiting, prompts, generating, paused}) EXPECT_GT(seen, 3u);
}

// The newest of the lowest priority makes room.
TEST_F(EngineLoopTest, PrioritiesKeepTheirPages) {
  open(17, UINT64_MAX);
  std::vector<RequestOptions> requests = eight();
  for (uint64_t i = 0; i < 8; ++i) {
    requests[i].priority = i < 6 ? 0 : 1; // the last two
    submit(requests[i]);
  }
  run();
  for (uint64_t i = 0; i < 8; ++i) expectRight(i + 1, requests[i]);
  EXPECT_EQ(said[7].last.metrics.pauses, 0u);
  EXPECT_EQ(said[8].last.metrics.pauses, 0u);
  EXPECT_GT(loop->stats().pauses, 0u);
}

// A row without numbers ends its own request.
TEST_F(EngineLoopTest, NoNumbersFailOneRequest) {
  open(64, 0);
  const RequestOptions good = toy::greedyRequest(5, 6, 20);
  RequestOptions bad = toy::greedyRequest(9, 4, 20);
  bad.sampling.seed = toy::kBrokenSeed;
  submit(good);
  submit(bad);
  submit(good);
  run();
  expectRight(1, good);
  expectRight(3, good);
  EXPECT_EQ(said[2].last.error.code, ErrorCode::kBadInput);
  EXPECT_THAT(said[2].last.error.message, testing::HasSubstr("the logits after token 8 are no numbers"));
  EXPECT_EQ(said[2].tokens.size(), 5u); // of positions 3 ... 7
}

// Each event once and in its order.
TEST_F(EngineLoopTest, EventsOfARequest) {
  open(64, 0);
  submit(toy::greedyRequest(1, 20, 2));
  run();
  using enum EventKind;
  EXPECT_THAT(said[1].kinds, ElementsAre(kStarted, kProgress, kProgress, kToken, kToken, kDone));
  EXPECT_EQ(said[1].last.stop, StopReason::kLength);
  EXPECT_EQ(said[1].last.metrics.promptTokens, 20u);
  EXPECT_EQ(said[1].last.metrics.generatedTokens, 2u);
  EXPECT_GT(said[1].last.metrics.firstTokenNs, 0u);
  EXPECT_GE(said[1].last.metrics.totalNs, said[1].last.metrics.firstTokenNs);
  EXPECT_EQ(loop->stats().promptTokens, 20u);
}

TEST_F(EngineLoopTest, WhereTheContextEnds) {
  open(64, 0);
  RequestOptions request = toy::greedyRequest(1, 27, -1);
  submit(request);
  submit(toy::greedyRequest(2, 3, 0)); // asks for nothing
  submit(toy::greedyRequest(3, toy::kMaxContext, 5));
  run();
  EXPECT_EQ(said[1].tokens, toy::continuation(request.tokens, 4));
  EXPECT_EQ(said[1].last.stop, StopReason::kContext);
  EXPECT_THAT(said[2].kinds, ElementsAre(EventKind::kDone));
  EXPECT_EQ(said[3].tokens.size(), 1u);
}

// What was measured before the first request plans its steps; nothing of it is left behind.
TEST_F(EngineLoopTest, MeasuresAndLeavesNothing) {
  open(8, 0);
  const uint32_t freePages = loop->stats().freePages;
  open(8, 0, true);
  EXPECT_EQ(loop->stats().freePages, freePages);
  const RequestOptions request = toy::greedyRequest(5, 11, 12);
  submit(request);
  run();
  expectRight(1, request);
  EXPECT_GT(loop->stats().busyNs, 0u);
}

} // namespace
} // namespace llcuda::serving
