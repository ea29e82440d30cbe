// SPDX-License-Identifier: Apache-2.0
// Guessed tokens on the toy engine, whose caches and pages are checked by its kernels.
#include <gmock/gmock.h>

#include "runtime/serving/draft_chances.h"
#include "runtime/serving/draft_model.h"
#include "tests/runtime/engine/toy_model.h"
#include "tests/runtime/serving/toy_loop.h"

namespace llcuda::serving {
namespace {

using toy::ServedToy;
using toy::servedToy;

/// Every step takes the same, whatever its rows: guesses are always worth it.
class SameCosts final : public StepCosts {
public:
  double decode(const StepRows&) const override { return 1e6; }
  double prompt(uint32_t, const StepTails&, const StepRows&) const override { return 1e6; }
};

/// A greedy request that repeats itself: its text is what followed when its last token stood there before, for two
/// tokens at least.
RequestOptions repeating(int32_t first, int64_t count) {
  for (int32_t a = 0; a < static_cast<int32_t>(toy::kVocabulary); ++a)
    for (int32_t b = 0; b < static_cast<int32_t>(toy::kVocabulary); ++b)
      for (int32_t c = 60; c < static_cast<int32_t>(toy::kVocabulary); ++c) {
        const std::vector<int32_t> tokens = {first, a, b, c, 10, 20, 30, 10};
        if (toy::continuation(tokens, 2) != std::vector<int32_t>{20, 30})
          continue;
        RequestOptions request = toy::greedyRequest(first, 1, count);
        request.tokens = tokens;
        return request;
      }
  ADD_FAILURE() << "no prompt repeats itself";
  return {};
}

/// A request whose tokens are drawn by seed and position; its prompt has `known` of them behind its last token.
RequestOptions drawnRequest(uint64_t seed, uint32_t known, int64_t count) {
  RequestOptions request = toy::greedyRequest(1, 1, count);
  request.sampling.chain = 1;
  request.sampling.seed = seed;
  const auto said = [&](uint32_t step) { return static_cast<int32_t>(toy::drawn(seed, step, toy::kVocabulary)); };
  request.tokens = {1};
  for (uint32_t i = 0; i < known; ++i) request.tokens.push_back(said(known + 1 + i));
  request.tokens.push_back(1);
  return request;
}

class SpeculationTest : public toy::LoopTest {
protected:
  void speculate(bool does = true) {
    speculation.kind = does ? Speculation::kNgram : Speculation::kNone;
    speculation.ngram = 1;
    speculation.costs = &costs;
  }
  /// Greedy ones and drawn ones, of which some are guessed right; all as long as the context.
  static std::vector<RequestOptions> mixed() {
    std::vector<RequestOptions> requests;
    for (int32_t i = 0; i < 4; ++i) {
      requests.push_back(repeating(3 * i, toy::kMaxContext - 8 + 1));
      const auto known = static_cast<uint32_t>(3 + i);
      requests.push_back(drawnRequest(static_cast<uint64_t>(i + 1), known, toy::kMaxContext - (known + 2) + 1));
    }
    return requests;
  }
  std::vector<std::vector<int32_t>> texts(std::size_t count) {
    std::vector<std::vector<int32_t>> texts;
    for (uint64_t id = 1; id <= count; ++id) {
      EXPECT_EQ(said[id].last.kind, EventKind::kDone);
      texts.push_back(said[id].tokens);
    }
    return texts;
  }

  SameCosts costs;
};

// Every text is that without guesses, alone and together, with pages for all and for hardly one; every page comes back.
TEST_F(SpeculationTest, TextsAreTheSame) {
  const std::vector<RequestOptions> requests = mixed();
  speculate(false);
  open(64, UINT64_MAX);
  for (const RequestOptions& request : requests) submit(request);
  run();
  const auto expected = texts(requests.size());
  EXPECT_EQ(loop->stats().drafts, 0u);
  const uint64_t steps = loop->stats().steps;
  speculate();
  for (const uint32_t pages : {64u, 17u, 8u})
    for (const std::size_t together : {std::size_t{1}, std::size_t{3}, requests.size()}) {
      open(pages, UINT64_MAX);
      const uint32_t freePages = loop->stats().freePages;
      for (std::size_t i = 0; i < requests.size(); ++i) {
        submit(requests[i]);
        if ((i + 1) % together == 0)
          run();
      }
      run();
      EXPECT_EQ(texts(requests.size()), expected) << pages << " pages, " << together;
      const Stats stats = loop->stats();
      EXPECT_EQ(stats.freePages + stats.cachedPages, freePages);
      if (together != requests.size()) { // else there is hardly a row for guesses
        EXPECT_GT(stats.acceptedDraftTokens, 8u);
        EXPECT_GT(stats.draftTokens, stats.acceptedDraftTokens);
      } else {
        EXPECT_EQ(stats.pauses > 0, pages != 64) << pages;
      }
      uint64_t drafted = 0, accepted = 0;
      for (uint64_t id = 1; id <= requests.size(); ++id) {
        drafted += said[id].last.metrics.draftTokens;
        accepted += said[id].last.metrics.acceptedDraftTokens;
      }
      EXPECT_EQ(drafted, stats.draftTokens);
      EXPECT_EQ(accepted, stats.acceptedDraftTokens);
      if (pages == 64 && together == requests.size()) { // two more where requests join at other steps
        EXPECT_LE(stats.steps, steps + 2);
      }
    }
}

// What is guessed right comes in one step.
TEST_F(SpeculationTest, FewerSteps) {
  const RequestOptions request = drawnRequest(5, 7, 7);
  speculate(false);
  open(64, 0);
  submit(request);
  run();
  const uint64_t steps = loop->stats().steps;
  speculate();
  open(64, 0);
  submit(request);
  run();
  EXPECT_LE(loop->stats().steps + 4, steps);
  EXPECT_GE(said[1].last.metrics.acceptedDraftTokens, 4u);
}

// Others are cancelled, or held and let go, after some steps: the first does not notice, and every page comes
// back.
TEST_F(SpeculationTest, CancelAndHoldAnywhere) {
  const std::vector<RequestOptions> requests = mixed();
  speculate(false);
  open(64, 0);
  for (const RequestOptions& request : requests) submit(request);
  run();
  const auto expected = texts(requests.size());
  speculate();
  for (const bool cancels : {true, false})
    for (uint32_t steps = 0; steps < 30; steps += 3) {
      open(17, UINT64_MAX);
      const uint32_t freePages = loop->stats().freePages;
      for (const RequestOptions& request : requests) submit(request);
      for (uint32_t i = 0; i < steps && !loop->isIdle(); ++i) step();
      for (uint64_t id = 2; id <= requests.size(); ++id)
        ASSERT_TRUE((cancels ? loop->cancel(id) : loop->hold(id, true)).ok());
      while (!said[1].hasEnded()) step();
      for (uint64_t id = 2; id <= requests.size(); ++id) ASSERT_TRUE(loop->hold(id, false).ok());
      run();
      EXPECT_EQ(said[1].tokens, expected[0]);
      for (std::size_t i = 1; i < requests.size() && !cancels; ++i) EXPECT_EQ(said[i + 1].tokens, expected[i]) << i;
      EXPECT_EQ(loop->stats().freePages + loop->stats().cachedPages, freePages);
      EXPECT_EQ(loop->stats().hostBytes, 0u);
    }
}

// An answer that stops inside of what was guessed right ends there.
TEST_F(SpeculationTest, StopsInsideOfGuesses) {
  speculate();
  open(64, 0);
  RequestOptions whole = drawnRequest(7, 7, 7);
  const uint64_t first = submit(whole);
  run();
  const std::vector<int32_t> tokens = said[first].tokens;
  ASSERT_EQ(tokens.size(), 7u);
  for (int64_t count = 1; count < 7; ++count) {
    RequestOptions shorter = whole;
    shorter.maxTokens = count;
    const uint64_t id = submit(shorter);
    run();
    EXPECT_EQ(said[id].tokens, std::vector(tokens.begin(), tokens.begin() + count));
    EXPECT_EQ(said[id].last.stop, StopReason::kLength);
  }
  RequestOptions stopped = whole;
  stopped.specialText = true;
  const std::string text = said[first].text;
  stopped.stops = {text.substr(text.size() / 2, 2)};
  const uint64_t id = submit(stopped);
  run();
  EXPECT_EQ(said[id].last.stop, StopReason::kString);
  EXPECT_EQ(said[id].text, text.substr(0, text.find(stopped.stops[0])));
  EXPECT_EQ(loop->stats().freePages + loop->stats().cachedPages, loop->stats().pages);
}

// A row without numbers behind guesses that are right ends its request, and nobody else's.
TEST_F(SpeculationTest, NoNumbersBehindGuesses) {
  speculate();
  open(64, 0);
  const RequestOptions good = repeating(6, 12);
  RequestOptions bad = drawnRequest(toy::kBrokenSeed, 4, 10);
  submit(good);
  submit(bad);
  run();
  expectRight(1, good);
  EXPECT_EQ(said[2].last.error.code, ErrorCode::kBadInput);
  EXPECT_THAT(said[2].last.error.message, testing::HasSubstr("are no numbers"));
  EXPECT_EQ(said[2].tokens.size(), toy::kBrokenPosition - 5);
}

// Mirostat's mu comes of the token before: such a request has no guesses, those beside it do.
TEST_F(SpeculationTest, WhatLearnsIsNotGuessed) {
  speculate();
  open(64, 0);
  RequestOptions learning = drawnRequest(3, 6, 6);
  learning.sampler.program.stageCount = 1;
  learning.sampler.program.stages[0].op = SamplerOp::kMirostat2;
  submit(learning);
  submit(drawnRequest(3, 6, 6));
  run();
  EXPECT_EQ(said[1].tokens, said[2].tokens);
  EXPECT_EQ(said[1].last.metrics.draftTokens, 0u);
  EXPECT_GT(said[2].last.metrics.acceptedDraftTokens, 0u);
}

/// Steps of the draft model cost a share of those of the model.
class DraftTest : public SpeculationTest {
protected:
  explicit DraftTest(ServedToy given = servedToy()) {
    served = std::move(given);
    speculation.costs = &costs;
    draftOptions.costs = &cheap;
    draftProgram = served.program;
  }
  /// What they say without guesses.
  std::vector<std::vector<int32_t>> plainTexts(const std::vector<RequestOptions>& requests) {
    const auto kept = std::exchange(draftProgram, nullptr);
    open(64, UINT64_MAX);
    for (const RequestOptions& request : requests) submit(request);
    run();
    draftProgram = kept;
    return texts(requests.size());
  }
  class CheapCosts final : public StepCosts {
  public:
    double decode(const StepRows&) const override { return ms; }
    double prompt(uint32_t, const StepTails&, const StepRows&) const override { return ms; }
    double ms = 1e5;
  } cheap;
};

/// The toy's chains are drawn by seed and position, also by a draft that takes its token from the same chain.
class ChainDraftTest : public DraftTest {
protected:
  ChainDraftTest() : DraftTest(servedToy(toy::kWideBatch, false, toy::kPunctuation)) {}
};

// The model guesses for itself: what it says is right, and comes in few steps.
TEST_F(DraftTest, ItsOwnDraft) {
  RequestOptions request = toy::greedyRequest(3, 5, 24);
  const uint64_t plainSteps = [&] {
    (void)plainTexts({request});
    return loop->stats().steps;
  }();
  open(64, 0);
  submit(request);
  run();
  expectRight(1, request);
  const Stats stats = loop->stats();
  EXPECT_EQ(stats.acceptedDraftTokens, stats.draftTokens);
  EXPECT_GE(stats.acceptedDraftTokens, 16u);
  EXPECT_LE(stats.steps * 2, plainSteps);
  EXPECT_GE(stats.draftSteps, stats.draftTokens);
  EXPECT_GE(stats.draftNs, stats.draftSteps * uint64_t{100'000'000'000});
}

// With the same noise it draws what will be drawn.
TEST_F(ChainDraftTest, DrawsTheSame) {
  const RequestOptions request = drawnRequest(5, 2, 20);
  const auto expected = plainTexts({request});
  open(64, 0);
  submit(request);
  run();
  EXPECT_EQ(texts(1), expected);
  EXPECT_EQ(loop->stats().acceptedDraftTokens, loop->stats().draftTokens);
  EXPECT_GE(loop->stats().acceptedDraftTokens, 10u);
}

// Every text is that without guesses, alone and together, with pages for all and for hardly one, of the model and of
// its draft; n-grams may say something first. Every page comes back, also those of the draft.
TEST_F(DraftTest, TextsAreTheSame) {
  const std::vector<RequestOptions> requests = mixed();
  const auto expected = plainTexts(requests);
  for (const Speculation kind : {Speculation::kNone, Speculation::kNgram})
    for (const uint32_t pages : {64u, 17u, 8u})
      for (const uint32_t draftPages : {64u, 9u})
        for (const std::size_t together : {std::size_t{1}, std::size_t{3}, requests.size()}) {
          speculation.kind = kind;
          speculation.ngram = 1;
          draftOptions.cacheBytes = toy::cacheBytes(*served.engine, draftPages);
          open(pages, UINT64_MAX);
          const uint32_t freePages = loop->stats().freePages;
          for (std::size_t i = 0; i < requests.size(); ++i) {
            submit(requests[i]);
            if ((i + 1) % together == 0)
              run();
          }
          run();
          EXPECT_EQ(texts(requests.size()), expected) << pages << " pages, " << draftPages << ", " << together;
          const Stats stats = loop->stats();
          EXPECT_EQ(stats.freePages + stats.cachedPages, freePages);
          EXPECT_EQ(draft->freePageCount(), draft->pageCount());
          EXPECT_GT(stats.acceptedDraftTokens, together == requests.size() ? 0u : 8u);
        }
}

// A draft model that is never right is soon asked seldom.
TEST_F(DraftTest, WrongGuessesStop) {
  const std::vector<RequestOptions> requests = {drawnRequest(5, 2, 25), drawnRequest(6, 2, 25), drawnRequest(7, 2, 25),
                                                drawnRequest(8, 2, 25)};
  const auto expected = plainTexts(requests);
  cheap.ms = 5e5;
  open(64, 0);
  for (const RequestOptions& request : requests) {
    submit(request);
    run();
  }
  EXPECT_EQ(texts(requests.size()), expected);
  EXPECT_GT(loop->stats().draftTokens, 0u);
  EXPECT_LE(loop->stats().draftSteps, 24u);
}

// Others are cancelled, or held and let go, after some steps: the first does not notice, and every page comes back.
TEST_F(DraftTest, CancelAndHoldAnywhere) {
  const std::vector<RequestOptions> requests = mixed();
  const auto expected = plainTexts(requests);
  for (const bool cancels : {true, false})
    for (uint32_t steps = 0; steps < 30; steps += 3) {
      open(17, UINT64_MAX);
      for (const RequestOptions& request : requests) submit(request);
      for (uint32_t i = 0; i < steps && !loop->isIdle(); ++i) step();
      for (uint64_t id = 2; id <= requests.size(); ++id)
        ASSERT_TRUE((cancels ? loop->cancel(id) : loop->hold(id, true)).ok());
      while (!said[1].hasEnded()) step();
      for (uint64_t id = 2; id <= requests.size(); ++id) ASSERT_TRUE(loop->hold(id, false).ok());
      run();
      EXPECT_EQ(said[1].tokens, expected[0]);
      for (std::size_t i = 1; i < requests.size() && !cancels; ++i) EXPECT_EQ(said[i + 1].tokens, expected[i]) << i;
      EXPECT_EQ(loop->stats().freePages + loop->stats().cachedPages, loop->stats().pages);
      EXPECT_EQ(draft->freePageCount(), draft->pageCount());
    }
}

// An answer that ends inside of what was guessed right ends there.
TEST_F(DraftTest, EndsInsideOfGuesses) {
  const RequestOptions whole = toy::greedyRequest(6, 4, 20);
  open(64, 0);
  for (int64_t count = 1; count < 20; ++count) {
    RequestOptions shorter = whole;
    shorter.maxTokens = count;
    const uint64_t id = submit(shorter);
    run();
    expectRight(id, shorter);
  }
  EXPECT_GT(loop->stats().acceptedDraftTokens, 60u);
}

// A context shorter than the model's ends the guesses, not the text.
TEST_F(DraftTest, ShorterContextAndFewerSlots) {
  draftOptions = {12, 2, UINT64_MAX, true, &cheap};
  const std::vector<RequestOptions> requests = {toy::greedyRequest(3, 5, 24), toy::greedyRequest(9, 2, 24),
                                                toy::greedyRequest(12, 14, 10)};
  const auto expected = plainTexts(requests);
  open(64, 0);
  for (const RequestOptions& request : requests) submit(request);
  run();
  EXPECT_EQ(texts(requests.size()), expected);
  EXPECT_GT(loop->stats().acceptedDraftTokens, 4u);
  EXPECT_EQ(said[3].last.metrics.draftTokens, 0u);
}

TEST(DraftVocabulary, HasToBeTheSame) {
  const ServedToy toy = servedToy(), other = servedToy(toy::kWideBatch, false, toy::kPunctuation);
  EXPECT_TRUE(checkDraftVocabulary(*toy.tokenizer, *toy.tokenizer).ok());
  const auto refused = checkDraftVocabulary(*toy.tokenizer, *other.tokenizer);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("in the model's"));
}

// --------------------------------------------------------------------------------------------------------- frequencies

TEST(DraftChances, FollowWhatHappens) {
  DraftChances chances;
  EXPECT_GT(chances.of(0.99), chances.of(0.5));
  for (int i = 0; i < 200; ++i) {
    chances.follow(0.5, true);
    chances.follow(0.99, false);
  }
  EXPECT_GT(chances.of(0.55), 0.95);
  EXPECT_LT(chances.of(0.98), 0.05);
  EXPECT_NEAR(chances.of(0.1), 0.1, 0.01);
}

} // namespace
} // namespace llcuda::serving
