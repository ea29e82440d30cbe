// SPDX-License-Identifier: Apache-2.0
// Requests whose reasoning has a budget. The toy's answers are known: up to the forced tokens they are what it says
// without a budget, behind them what it says to all of that.
#include <gmock/gmock.h>

#include "runtime/text/grammar.h"
#include "runtime/text/utf8.h"
#include "tests/runtime/serving/toy_scheduler.h"

namespace llcuda::serving {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr const char* kEnd = "</x>";

class ReasoningTest : public toy::ScheduledTest {
protected:
  ReasoningTest() : ScheduledTest(toy::servedToy(toy::kWideBatch, false, toy::kPunctuation), false) {}

  RequestOptions reasoning(int32_t first, uint32_t budget, const std::string& start = {}) {
    RequestOptions request = toy::greedyRequest(first, 3 + static_cast<uint32_t>(first) % 4, 24);
    request.sampling.chain = 1;
    request.reasoning = ReasoningLimit{budget, start, kEnd, *toy.tokenizer->encode(kEnd, {.addSpecial = false})};
    return request;
  }
  void listenToAll(std::size_t requests) {
    for (int polls = 0; ended() < requests; ++polls) {
      ASSERT_LT(polls, 600);
      for (Event& event : scheduler->poll(SIZE_MAX, milliseconds(100))) toy::hear(said, std::move(event));
    }
  }
  /// What it says without a budget. The toy draws the token that a prompt ends with, where there is a chain.
  static std::vector<int32_t> freeText(const RequestOptions& request, std::size_t count) {
    std::vector<int32_t> tokens = request.tokens;
    tokens.push_back(toy::drawnToken(request.sampling.seed, tokens.size() - 1));
    const std::vector<int32_t> rest = toy::continuation(tokens, count - 1);
    tokens.insert(tokens.end(), rest.begin(), rest.end());
    return {tokens.begin() + static_cast<std::ptrdiff_t>(request.tokens.size()), tokens.end()};
  }
  /// `before` tokens of free text, reasoning, what ends it, and free text again.
  std::vector<int32_t> expected(const RequestOptions& request, std::size_t before) const {
    const auto count = static_cast<std::size_t>(request.maxTokens);
    const std::vector<int32_t> free = freeText(request, count);
    std::size_t spent = before + request.reasoning->tokens;
    const auto textEndsWhole = [&] {
      std::string text;
      for (std::size_t i = 0; i < spent; ++i) text += toy.tokenizer->piece(free[i]);
      return text::incompleteTail(text) == 0;
    };
    while (spent < count && !textEndsWhole()) ++spent;
    if (spent >= count)
      return free;
    std::vector<int32_t> tokens = request.tokens;
    tokens.insert(tokens.end(), free.begin(), free.begin() + static_cast<std::ptrdiff_t>(spent));
    tokens.insert(tokens.end(), request.reasoning->closing.begin(), request.reasoning->closing.end());
    const std::size_t whole = request.tokens.size() + count;
    if (tokens.size() < whole) {
      const std::vector<int32_t> rest = toy::continuation(tokens, whole - tokens.size());
      tokens.insert(tokens.end(), rest.begin(), rest.end());
    }
    return {tokens.begin() + static_cast<std::ptrdiff_t>(request.tokens.size()),
            tokens.begin() + static_cast<std::ptrdiff_t>(whole)};
  }

  std::unique_ptr<text::Grammars> grammars = std::move(*text::Grammars::open(*toy.tokenizer, toy::kVocabulary));
};

// From none to more than the answer has, beside requests without a budget, and where they have to make room for one
// another.
TEST_F(ReasoningTest, EndsWhenItsTokensAreSpent) {
  for (const uint32_t pages : {64u, 17u}) {
    open({.cacheBytes = toy::cacheBytes(*toy.engine, pages), .hostCacheBytes = uint64_t{1} << 20});
    std::map<uint64_t, std::vector<int32_t>> wanted;
    for (int32_t i = 0; i < 12; ++i) {
      const RequestOptions request = reasoning(5 * i, static_cast<uint32_t>(i < 11 ? i : 100));
      wanted.emplace(submit(request), expected(request, 0));
      const RequestOptions plain = toy::greedyRequest(5 * i + 1, 4, 18);
      wanted.emplace(submit(plain), toy::continuation(plain.tokens, 18));
    }
    listenToAll(wanted.size());
    for (const auto& [id, tokens] : wanted) {
      ASSERT_EQ(said[id].last.kind, EventKind::kDone) << said[id].last.error.message;
      EXPECT_EQ(said[id].tokens, tokens) << "request " << id << ": " << said[id].text;
    }
    EXPECT_EQ(scheduler->stats().pauses != 0, pages == 17);
  }
}

// It begins behind its marker, wherever that comes, and not without it.
TEST_F(ReasoningTest, BeginsBehindItsMarker) {
  open();
  for (const std::size_t at : {std::size_t{0}, std::size_t{2}, std::size_t{7}}) {
    RequestOptions request = reasoning(3, 4);
    const std::vector<int32_t> free = freeText(request, 24);
    request.reasoning->start = toy.tokenizer->piece(free[at]);
    const auto first = static_cast<std::size_t>(std::ranges::find(free, free[at]) - free.begin());
    const uint64_t id = submit(request);
    const uint64_t never = submit(reasoning(3, 0, "\1never"));
    listenToAll(never);
    EXPECT_EQ(said[id].tokens, expected(request, first + 1)) << said[id].text;
    EXPECT_EQ(said[never].tokens, free);
  }
}

// A grammar that begins at the end of the reasoning begins also where that was forced.
TEST_F(ReasoningTest, AGrammarFollows) {
  open();
  RequestOptions request = reasoning(4, 5);
  request.grammar = *grammars->create(text::GrammarKind::kRegex, "[0-9]{3}");
  request.triggers = {kEnd};
  const uint64_t id = submit(request);
  listenToAll(1);
  EXPECT_THAT(said[id].text, testing::MatchesRegex(".*</x>[0-9][0-9][0-9]"));
}

TEST_F(ReasoningTest, WhatIsRefused) {
  open();
  RequestOptions request = reasoning(1, 3);
  request.reasoning->end.clear();
  EXPECT_THAT(scheduler->submit(request).error().message, HasSubstr("ends reasoning is empty"));
  request = reasoning(1, 3);
  toy::ServedToy plain = toy::servedToy();
  auto other = Scheduler::create(plain.program, plain.text(), {});
  ASSERT_TRUE(other.ok());
  EXPECT_EQ((*other)->submit(request).error().code, ErrorCode::kUnsupported);
}

} // namespace
} // namespace llcuda::serving
