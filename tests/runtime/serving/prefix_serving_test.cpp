// SPDX-License-Identifier: Apache-2.0
// Prefixes, shares and held clients in the engine loop: what is computed, whose turn it is, and that no text changes.
#include <algorithm>
#include <random>
#include <set>

#include <gmock/gmock.h>

#include "tests/runtime/serving/toy_loop.h"

namespace llcuda::serving {
namespace {

using testing::ElementsAre;

class PrefixServing : public toy::LoopTest {
protected:
  /// A request whose prompt is a trunk of `length` tokens and a branch of its own, both named by a number.
  static RequestOptions branch(int32_t trunk, uint32_t length, int32_t number, uint32_t own, int64_t count) {
    RequestOptions request = toy::greedyRequest(trunk, length, count);
    for (uint32_t i = 0; i < own; ++i) request.tokens.push_back((number + 11 * static_cast<int32_t>(i)) % 97);
    return request;
  }
  /// Runs a request alone: how many tokens of its prompt were not computed.
  uint32_t cachedOf(const RequestOptions& request) {
    const uint64_t before = loop->stats().promptTokens;
    const uint64_t id = submit(request);
    run();
    expectRight(id, request);
    const uint32_t cached = said[id].last.metrics.cachedTokens;
    EXPECT_EQ(loop->stats().promptTokens - before, request.tokens.size() - cached);
    return cached;
  }
  void expectNothingLost() {
    const Stats stats = loop->stats();
    EXPECT_EQ(stats.freePages + stats.cachedPages, stats.pages);
    EXPECT_EQ(stats.hostBytes, 0u);
    EXPECT_EQ(loop->prefixes().faults(), "");
  }
};

// The same prompt, a longer one, one that goes another way: what is there in whole pages is not computed again, be it
// of a prompt or of an answer; a token at least is.
TEST_F(PrefixServing, ASecondRequestComputesTheRest) {
  open(64, 0);
  EXPECT_EQ(cachedOf(branch(1, 20, 50, 3, 1)), 0u);
  EXPECT_EQ(cachedOf(branch(1, 20, 50, 3, 1)), 20u);
  EXPECT_EQ(cachedOf(branch(1, 20, 60, 5, 1)), 20u);
  EXPECT_EQ(cachedOf(branch(1, 20, 60, 0, 1)), 0u); // nobody has ended at 16: what its window sees is gone
  EXPECT_EQ(cachedOf(branch(1, 20, 60, 0, 1)), 16u);
  RequestOptions chat = toy::greedyRequest(7, 6, 10);
  EXPECT_EQ(cachedOf(chat), 0u);
  chat.tokens = toy::continuation(chat.tokens, 10); // an answer becomes a part of the next prompt
  chat.tokens.insert(chat.tokens.begin(), {7, 14, 21, 28, 35, 42});
  chat.tokens.push_back(5);
  EXPECT_EQ(chat.tokens.size(), 17u);
  EXPECT_EQ(cachedOf(chat), 12u);
  expectNothingLost();
  EXPECT_EQ(loop->stats().cachedTokens, 20u + 20u + 16u + 12u);
}

// Four cold branches of one trunk at once: the trunk is computed once, also while others come who have nothing to do
// with it.
TEST_F(PrefixServing, FourColdBranches) {
  open(64, 0);
  std::vector<RequestOptions> requests;
  for (int32_t i = 0; i < 4; ++i) requests.push_back(branch(1, 20, 50 + i, 4, 6));
  requests.push_back(toy::greedyRequest(90, 9, 6));
  for (const RequestOptions& request : requests) submit(request);
  run();
  for (uint64_t i = 0; i < requests.size(); ++i) expectRight(i + 1, requests[i]);
  EXPECT_EQ(loop->stats().promptTokens, 20u + 4 * 4u + 9u);
  EXPECT_EQ(said[1].last.metrics.cachedTokens, 0u);
  for (uint64_t id = 2; id <= 4; ++id) EXPECT_EQ(said[id].last.metrics.cachedTokens, 20u);
  expectNothingLost();
}

// Who computes the trunk goes away in its middle: another one goes on where it was.
TEST_F(PrefixServing, TheFirstBranchVanishes) {
  open(64, 0);
  std::vector<RequestOptions> requests;
  for (int32_t i = 0; i < 3; ++i) requests.push_back(branch(1, 24, 50 + i, 4, 2));
  for (const RequestOptions& request : requests) submit(request);
  step();
  const uint64_t computed = loop->stats().promptTokens;
  EXPECT_GT(computed, 0u);
  EXPECT_LT(computed, 24u);
  ASSERT_TRUE(loop->cancel(1).ok());
  run();
  expectRight(2, requests[1]);
  expectRight(3, requests[2]);
  EXPECT_EQ(loop->stats().promptTokens, 24u + 2 * 4u);
  expectNothingLost();
}

// A higher priority does not wait for what a lower one is about to compute.
TEST_F(PrefixServing, PrioritiesDoNotWait) {
  open(64, 0);
  RequestOptions low = branch(1, 24, 50, 4, 2), high = branch(1, 24, 60, 4, 2);
  high.priority = 1;
  submit(low);
  step();
  submit(high);
  step();
  EXPECT_EQ(loop->stats().waiting, 0u);
  run();
  expectRight(1, low);
  expectRight(2, high);
  expectNothingLost();
}

// Where bits do not turn on how a prompt is cut, nobody begins with those that steps computed.
TEST_F(PrefixServing, AnswersOfABatchInvariantEngine) {
  for (const bool invariant : {false, true}) {
    loop.reset();
    session.reset();
    served = toy::servedToy(toy::kWideBatch, invariant);
    open(64, 0);
    const RequestOptions first = toy::greedyRequest(7, 10, 11);
    EXPECT_EQ(cachedOf(first), 0u);
    RequestOptions next = toy::greedyRequest(7, 10, 2);
    const std::vector<int32_t> answer = toy::continuation(first.tokens, 11);
    next.tokens.insert(next.tokens.end(), answer.begin(), answer.end());
    EXPECT_EQ(cachedOf(next), invariant ? 8u : 16u); // its pages go when its last steps are queued
    expectNothingLost();
  }
}

TEST_F(PrefixServing, WhoSharesNothing) {
  open(64, 0);
  RequestOptions request = branch(1, 20, 50, 3, 2);
  EXPECT_EQ(cachedOf(request), 0u);
  request.cacheSalt = 1;
  EXPECT_EQ(cachedOf(request), 0u);
  EXPECT_EQ(cachedOf(request), 20u);
  request.prefixCache = false;
  EXPECT_EQ(cachedOf(request), 0u);
  request = toy::greedyRequest(9, 20, 2);
  request.prefixCache = false;
  EXPECT_EQ(cachedOf(request), 0u);
  request.prefixCache = true;
  EXPECT_EQ(cachedOf(request), 0u);
  expectNothingLost();
}

// Prefixes make room for whoever runs: the oldest are in host memory, come back with their bits, and go for good when
// there is no room for them either.
TEST_F(PrefixServing, ThroughHostMemory) {
  for (const uint64_t hostBytes : {uint64_t{0}, uint64_t{640}, uint64_t{1} << 20}) {
    open(9, hostBytes);
    std::vector<RequestOptions> requests;
    for (int32_t i = 0; i < 6; ++i) requests.push_back(branch(10 * i, 20, i, 3, 4));
    uint32_t cached = 0;
    for (int round = 0; round < 3; ++round)
      for (const RequestOptions& request : requests) cached += cachedOf(request);
    expectNothingLost();
    EXPECT_EQ(loop->stats().hostPages > 0, hostBytes != 0);
    // Without any, each is pushed out by those that follow.
    EXPECT_GE(cached, hostBytes > 640 ? 2 * 6 * 20u : 0u);
    EXPECT_LE(cached, hostBytes == 0 ? 0u : 2 * 6 * 20u);
  }
}

// Out of pages with a common trunk: who is paused and comes back says the same.
TEST_F(PrefixServing, PausedBranches) {
  for (const uint32_t pages : {9u, 12u, 20u})
    for (const uint64_t hostBytes : {uint64_t{0}, uint64_t{700}, uint64_t{1} << 20}) {
      open(pages, hostBytes);
      std::vector<RequestOptions> requests;
      for (int32_t i = 0; i < 8; ++i) requests.push_back(branch(1, 10, 50 + i, 3, 17));
      for (const RequestOptions& request : requests) submit(request);
      run();
      for (uint64_t i = 0; i < requests.size(); ++i) expectRight(i + 1, requests[i]);
      EXPECT_GT(loop->stats().pauses, 0u);
      expectNothingLost();
    }
}

// Where values were no numbers nobody begins.
TEST_F(PrefixServing, NoNumbersAreNotKept) {
  open(64, 1 << 20);
  EXPECT_EQ(cachedOf(branch(1, 8, 50, 3, 2)), 0u);
  RequestOptions bad = branch(1, 8, 60, 3, 9);
  bad.sampling.seed = toy::kBrokenSeed;
  const uint64_t id = submit(bad);
  run();
  EXPECT_EQ(said[id].last.error.code, ErrorCode::kBadInput);
  EXPECT_EQ(said[id].last.metrics.cachedTokens, 8u);
  EXPECT_EQ(cachedOf(branch(1, 8, 50, 3, 2)), 0u);
  expectNothingLost();
}

// Who is held generates nothing, whatever state it was in; others go on, and afterwards it says what it would have
// said.
TEST_F(PrefixServing, AHeldRequest) {
  for (int steps = 0; steps < 12; ++steps) {
    open(64, 0);
    const RequestOptions slow = branch(1, 8, 50, 3, 15), quick = branch(1, 8, 60, 3, 15);
    submit(slow);
    submit(quick);
    for (int i = 0; i < steps; ++i) step();
    ASSERT_TRUE(loop->hold(1, true).ok());
    ASSERT_TRUE(loop->hold(1, true).ok());
    step();
    step();
    const std::size_t before = said[1].tokens.size();
    EXPECT_LE(before, static_cast<std::size_t>(steps) + 1);
    for (int i = 0; i < 60 && !loop->isStalled(); ++i) step();
    ASSERT_TRUE(loop->isStalled());
    expectRight(2, quick);
    EXPECT_EQ(said[1].tokens.size(), before);
    ASSERT_TRUE(loop->hold(1, false).ok());
    EXPECT_FALSE(loop->isStalled());
    run();
    expectRight(1, slow);
    expectNothingLost();
  }
}

// Slots and pages of held requests are there for others, with and without host memory.
TEST_F(PrefixServing, HeldRequestsMakeRoom) {
  for (const uint64_t hostBytes : {uint64_t{0}, uint64_t{1} << 20}) {
    open(12, hostBytes);
    std::vector<RequestOptions> requests;
    for (int32_t i = 0; i < 12; ++i) requests.push_back(toy::greedyRequest(3 * i, 9, 20));
    for (uint64_t i = 0; i < 3; ++i) submit(requests[i]);
    for (int i = 0; i < 4; ++i) step();
    for (uint64_t id = 1; id <= 3; ++id) ASSERT_TRUE(loop->hold(id, true).ok());
    for (uint64_t i = 3; i < 12; ++i) submit(requests[i]);
    for (int i = 0; i < 2000 && !loop->isStalled(); ++i) step();
    ASSERT_TRUE(loop->isStalled());
    for (uint64_t id = 4; id <= 12; ++id) expectRight(id, requests[id - 1]);
    for (uint64_t id = 1; id <= 3; ++id) ASSERT_TRUE(loop->hold(id, false).ok());
    run();
    for (uint64_t id = 1; id <= 3; ++id) expectRight(id, requests[id - 1]);
    expectNothingLost();
  }
}

// One key asks for twenty answers at once, another one for two after it: with shares they wait for one or two of the
// others, without for all.
TEST_F(PrefixServing, KeysTakeTurns) {
  for (const bool fair : {false, true}) {
    open(64, 0, false, fair, 1);
    for (int32_t i = 0; i < 20; ++i) {
      RequestOptions request = toy::greedyRequest(i, 9, 8);
      request.fairKey = "bulk";
      submit(request);
    }
    for (int32_t i = 0; i < 2; ++i) {
      RequestOptions request = toy::greedyRequest(40 + i, 9, 8);
      request.fairKey = "person";
      submit(request);
    }
    std::vector<uint64_t> order;
    while (!loop->isIdle()) {
      step();
      for (const auto& [id, one] : said)
        if (one.hasEnded() && std::ranges::find(order, id) == order.end())
          order.push_back(id);
    }
    const auto last = std::max(std::ranges::find(order, 21), std::ranges::find(order, 22)) - order.begin();
    EXPECT_EQ(last == 21, !fair);
    EXPECT_LE(last, fair ? 9 : 21);
    expectNothingLost();
  }
}

// Requests of a few trunks come, are held, go on and vanish at random moments, in every state: the others say what they
// have to, and no page, block or node is lost.
TEST_F(PrefixServing, ManyVanish) {
  constexpr uint32_t kCount = 500;
  uint32_t waiting = 0, prompts = 0, paused = 0, generating = 0, heldOnes = 0, inHost = 0;
  for (const uint64_t hostBytes : {uint64_t{0}, uint64_t{1500}, uint64_t{1} << 20}) {
    open(14, hostBytes);
    std::mt19937 random(5);
    std::map<uint64_t, RequestOptions> alive;
    std::set<uint64_t> held;
    uint32_t vanished = 0;
    while (vanished < kCount) {
      if (alive.size() < 14 && random() % 2 == 0) {
        const RequestOptions request = branch(static_cast<int32_t>(30 * (random() % 3)), 4 + random() % 12,
                                              static_cast<int32_t>(random() % 90), random() % 5, 1 + random() % 9);
        alive.emplace(submit(request), request);
      }
      if (!alive.empty() && random() % 3 == 0) {
        const uint64_t id = std::next(alive.begin(), random() % alive.size())->first;
        const Stats before = loop->stats();
        ASSERT_TRUE(loop->cancel(id).ok());
        const Stats after = loop->stats();
        waiting += after.waiting < before.waiting;
        prompts += after.prompts < before.prompts;
        paused += after.paused < before.paused;
        heldOnes += held.contains(id);
        generating += after.generating < before.generating && !held.contains(id);
        inHost += before.hostPages != 0;
        vanished += after.cancelled > before.cancelled;
        alive.erase(id);
        held.erase(id);
      } else if (!alive.empty() && random() % 6 == 0) {
        const uint64_t id = std::next(alive.begin(), random() % alive.size())->first;
        const bool on = held.size() < 5 && !held.contains(id);
        ASSERT_TRUE(loop->hold(id, on).ok());
        if (on)
          held.insert(id);
        else
          held.erase(id);
      }
      step();
      ASSERT_EQ(loop->prefixes().faults(), "");
      std::erase_if(alive, [&](const auto& entry) { // those that have ended
        if (!said[entry.first].hasEnded())
          return false;
        expectRight(entry.first, entry.second);
        held.erase(entry.first);
        return true;
      });
    }
    for (const uint64_t id : held) ASSERT_TRUE(loop->hold(id, false).ok());
    run();
    for (const auto& [id, request] : alive) expectRight(id, request);
    expectNothingLost();
  }
  for (const uint32_t seen : {waiting, prompts, paused, generating, heldOnes, inHost}) EXPECT_GT(seen, 2u);
}

} // namespace
} // namespace llcuda::serving
