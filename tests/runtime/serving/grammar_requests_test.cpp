// SPDX-License-Identifier: Apache-2.0
// Requests with grammars, beside others without.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "runtime/text/grammar.h"
#include "tests/runtime/serving/toy_scheduler.h"

namespace llcuda::serving {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using text::GrammarKind;

constexpr const char* kSchema = R"({"type":"object","properties":{"a":{"type":"integer","minimum":0,"maximum":99},
"b":{"type":"boolean"}},"required":["a","b"],"additionalProperties":false,"x-guidance":{"whitespace_flexible":false}})";

class GrammarRequestsTest : public toy::ScheduledTest {
protected:
  GrammarRequestsTest() : ScheduledTest(toy::servedToy(toy::kWideBatch, false, toy::kPunctuation), false) {}

  std::shared_ptr<const text::Grammar> made(GrammarKind kind, const std::string& text) {
    auto grammar = grammars->create(kind, text);
    EXPECT_TRUE(grammar.ok()) << grammar.error().message;
    return *grammar;
  }
  RequestOptions masked(int32_t first, GrammarKind kind, const std::string& text) {
    RequestOptions request = toy::greedyRequest(first, 3 + static_cast<uint32_t>(first) % 3, 25);
    request.grammar = made(kind, text);
    return request;
  }
  void listen() {
    for (Event& event : scheduler->poll(SIZE_MAX, milliseconds(100))) {
      order.push_back({event.request, event.kind});
      toy::hear(said, std::move(event));
    }
  }
  void listenToAll(std::size_t requests) {
    for (int polls = 0; ended() < requests; ++polls) {
      ASSERT_LT(polls, 600);
      listen();
    }
  }
  /// Every token was allowed; with `whole` the grammar ended with a stop token.
  void expectOfGrammar(uint64_t id, const text::Grammar& grammar, bool whole) {
    const toy::Said& answer = said[id];
    ASSERT_EQ(answer.last.kind, EventKind::kDone) << answer.last.error.message;
    auto matcher = grammar.matcher();
    ASSERT_TRUE(matcher.ok());
    for (const int32_t token : answer.tokens) {
      if (token == toy::kEndToken)
        break;
      ASSERT_TRUE(matcher->consume(token).ok()) << answer.text << " token " << token;
    }
    if (answer.tokens.back() == toy::kEndToken) {
      std::vector<uint32_t> mask((toy::kVocabulary + 31) / 32);
      ASSERT_TRUE(matcher->mask(mask).ok());
      EXPECT_TRUE(mask[toy::kEndToken / 32] >> toy::kEndToken % 32 & 1) << answer.text << " is no end";
    }
    if (!whole)
      return;
    EXPECT_EQ(answer.last.stop, StopReason::kToken);
    EXPECT_EQ(answer.tokens.back(), toy::kEndToken) << answer.text;
  }

  std::unique_ptr<text::Grammars> grammars = std::move(*text::Grammars::open(*toy.tokenizer, toy::kVocabulary));
  std::vector<std::pair<uint64_t, EventKind>> order;
};

// All kinds at once and three without: every answer is of its grammar, whole, and the same as alone; the others say
// what they say alone.
TEST_F(GrammarRequestsTest, AllKindsTogetherAndAlone) {
  const std::vector<std::pair<GrammarKind, std::string>> kinds = {
      {GrammarKind::kJsonSchema, kSchema},
      {GrammarKind::kRegex, "[a-f]{3,6}-[0-9]{2}"},
      {GrammarKind::kLark, "start: item (\",\" item){2}\nitem: /[a-c]/ | \"(\" item \")\""},
      {GrammarKind::kGbnf, "root ::= \"{\" pair \"}\"\npair ::= [a-z]{2} \"=\" [0-9]+ | \"x\""},
      {GrammarKind::kJsonObject, ""}};
  std::vector<RequestOptions> requests;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    requests.push_back(masked(static_cast<int32_t>(5 * i), kinds[i].first, kinds[i].second));
    requests.back().ignoreStop = i % 2 == 0; // defeats no grammar
  }
  for (int32_t i = 0; i < 3; ++i) requests.push_back(toy::greedyRequest(3 * i, static_cast<uint32_t>(2 + i), 20));
  open();
  for (const RequestOptions& request : requests) submit(request);
  listenToAll(requests.size());
  const std::map<uint64_t, toy::Said> together = said;
  for (uint64_t i = 0; i < kinds.size(); ++i) {
    const bool isFinite = kinds[i].first != GrammarKind::kJsonObject && kinds[i].first != GrammarKind::kGbnf;
    expectOfGrammar(i + 1, *requests[i].grammar, isFinite);
  }
  EXPECT_THAT(said[1].text, testing::MatchesRegex(R"(\{"a":[0-9]+,"b":(true|false)\})"));
  for (uint64_t i = kinds.size(); i < requests.size(); ++i)
    EXPECT_EQ(said[i + 1].tokens, toy::continuation(requests[i].tokens, 20));
  for (uint64_t i = 0; i < kinds.size(); ++i) {
    open();
    submit(requests[i]);
    listenToAll(1);
    EXPECT_EQ(said[1].tokens, together.at(i + 1).tokens) << "alone it says " << said[1].text;
  }
}

// A mask that takes until everybody else is done: its request alone waits for it, and is right in the end.
TEST_F(GrammarRequestsTest, ALateMaskDelaysItsOwnRequestAlone) {
  RequestOptions slow = masked(1, GrammarKind::kRegex, "[a-z]{5}");
  const text::Grammar* const slowOne = slow.grammar.get();
  SchedulerOptions options;
  options.masks.threads = 2;
  const auto othersAreDone = std::make_shared<std::atomic<bool>>(false);
  options.masks.beforeMask = [othersAreDone, slowOne](const text::Grammar& grammar) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (&grammar == slowOne && !*othersAreDone && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(milliseconds(1));
  };
  open(options);
  const std::shared_ptr<const text::Grammar> slowGrammar = slow.grammar;
  submit(std::move(slow));
  std::vector<RequestOptions> others = {toy::greedyRequest(4, 3, 20), toy::greedyRequest(9, 2, 20),
                                        masked(2, GrammarKind::kRegex, "[0-9]{8}")};
  for (const RequestOptions& other : others) submit(other);
  listenToAll(3);
  EXPECT_NE(said[1].last.kind, EventKind::kDone);
  *othersAreDone = true;
  listenToAll(4);
  int slowTokens = 0, doneBefore = 0;
  for (const auto& [id, kind] : order) {
    slowTokens += id == 1 && kind == EventKind::kToken;
    doneBefore += id != 1 && kind == EventKind::kDone && slowTokens <= 2;
  }
  EXPECT_EQ(doneBefore, 3);
  expectOfGrammar(1, *slowGrammar, true);
  expectOfGrammar(4, *others[2].grammar, true);
  EXPECT_EQ(said[2].tokens, toy::continuation(others[0].tokens, 20));
  EXPECT_EQ(said[3].tokens, toy::continuation(others[1].tokens, 20));
  const Stats stats = scheduler->stats();
  EXPECT_GT(stats.heldRows, 0u);
  EXPECT_GT(stats.maskNs, 0u);
}

// With a trigger the answer is free up to it, and of the grammar behind it.
TEST_F(GrammarRequestsTest, Triggers) {
  RequestOptions request = toy::greedyRequest(2, 4, 25);
  request.grammar = made(GrammarKind::kRegex, "[0-9]{4}");
  request.triggers = {"\1never"};
  open();
  submit(request);
  listenToAll(1);
  const std::vector<int32_t> free = said[1].tokens;
  ASSERT_EQ(free.size(), 25u);
  EXPECT_EQ(said[1].last.stop, StopReason::kLength);
  for (const std::size_t at : {std::size_t{0}, std::size_t{3}, std::size_t{9}}) {
    const std::string trigger(toy.tokenizer->piece(free[at]));
    const auto first = std::ranges::find_if(
        free, [&](int32_t token) { return toy.tokenizer->piece(token).find(trigger) != std::string_view::npos; });
    const auto freeTokens = static_cast<std::size_t>(first - free.begin()) + 1;
    request.triggers = {"\1never", trigger};
    open();
    submit(request);
    submit(masked(5, GrammarKind::kRegex, "[a-c]+")); // trunk and tail come apart for more than one
    listenToAll(2);
    const std::vector<int32_t>& tokens = said[1].tokens;
    ASSERT_EQ(said[1].last.kind, EventKind::kDone) << said[1].last.error.message;
    ASSERT_GE(tokens.size(), freeTokens);
    EXPECT_TRUE(std::equal(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(freeTokens), free.begin()));
    EXPECT_EQ(tokens.size(), std::min<std::size_t>(freeTokens + 5, 25)) << said[1].text;
    for (std::size_t i = freeTokens; i < std::min<std::size_t>(freeTokens + 4, tokens.size()); ++i)
      EXPECT_THAT(std::string(toy.tokenizer->piece(tokens[i])), testing::MatchesRegex("[0-9]"));
  }
}

// A grammar that no token fits fails its request alone.
TEST_F(GrammarRequestsTest, NoTokenFits) {
  open();
  submit(masked(1, GrammarKind::kRegex, "a\xe4\xb8\x80"));
  submit(toy::greedyRequest(4, 3, 20));
  listenToAll(2);
  EXPECT_EQ(said[1].last.kind, EventKind::kFailed);
  EXPECT_EQ(said[1].last.error.code, ErrorCode::kBadInput);
  EXPECT_EQ(said[2].last.kind, EventKind::kDone);
}

// They come, go and make room for one another: everything that was taken comes back.
TEST_F(GrammarRequestsTest, ComingGoingAndFewPages) {
  SchedulerOptions options;
  options.cacheBytes = toy::cacheBytes(*toy.engine, 17);
  options.hostCacheBytes = uint64_t{1} << 20;
  open(options);
  std::vector<RequestOptions> requests;
  for (int32_t i = 0; i < 24; ++i)
    requests.push_back(i % 3 == 0 ? toy::greedyRequest(i, static_cast<uint32_t>(2 + i % 4), 18)
                                  : masked(i, GrammarKind::kRegex, i % 3 == 1 ? "[a-z]{15}" : "([0-9]-)*x"));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const uint64_t id = submit(requests[i]);
    if (i % 4 == 3)
      scheduler->cancel(id - i % 3);
    if (i % 5 == 0)
      listen();
  }
  listenToAll(requests.size());
  for (uint64_t i = 0; i < requests.size(); ++i) {
    const toy::Said& one = said[i + 1];
    if (one.last.kind == EventKind::kFailed)
      EXPECT_EQ(one.last.error.code, ErrorCode::kCancelled) << one.last.error.message;
    else if (requests[i].grammar)
      expectOfGrammar(i + 1, *requests[i].grammar, false);
    else
      EXPECT_EQ(one.tokens, toy::continuation(requests[i].tokens, 18));
  }
  ASSERT_TRUE(scheduler->drain(milliseconds(-1)).ok());
  const Stats stats = scheduler->stats();
  EXPECT_EQ(stats.freePages + stats.cachedPages, stats.pages);
}

TEST_F(GrammarRequestsTest, WhatIsRefused) {
  open();
  RequestOptions request = toy::greedyRequest(1, 3, 5);
  request.triggers = {"x"};
  EXPECT_THAT(scheduler->submit(request).error().message, HasSubstr("triggers"));
  request = masked(1, GrammarKind::kRegex, "a");
  request.triggers = {""};
  EXPECT_THAT(scheduler->submit(request).error().message, HasSubstr("empty"));
  toy::ServedToy plain = toy::servedToy();
  auto other = Scheduler::create(plain.program, plain.text(), {});
  ASSERT_TRUE(other.ok());
  request.triggers = {};
  const auto refused = (*other)->submit(request);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
}

} // namespace
} // namespace llcuda::serving
