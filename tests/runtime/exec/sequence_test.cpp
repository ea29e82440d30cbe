// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/sequence.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

#include "runtime/exec/self_check.h"
#include "tests/runtime/exec/toy_session.h"

namespace llcuda {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;
using toy::Collected;

class SequenceTest : public testing::Test {
protected:
  void SetUp() override { open(toy::kMaxContext); }

  void open(uint32_t context, bool guard = false) {
    auto created = toy::toySession(context, 1, guard);
    ASSERT_TRUE(created.ok()) << created.error().message;
    sequence.reset();
    session = std::move(*created);
    sequence.emplace(*session, 0);
  }

  Collected run(std::vector<int32_t> prompt, GenerateOptions options = {}) {
    Collected collected = toy::generate(*sequence, prompt, std::move(options));
    EXPECT_TRUE(collected.result.ok()) << collected.result.error().message;
    return collected;
  }

  std::unique_ptr<Session> session;
  std::optional<Sequence> sequence;
};

GenerateOptions upTo(int64_t tokens) {
  GenerateOptions options;
  options.maxTokens = tokens;
  return options;
}

std::vector<int32_t> iota(std::size_t count) {
  std::vector<int32_t> tokens(count);
  std::iota(tokens.begin(), tokens.end(), 3);
  return tokens;
}

// On hostsim a step is done when it is queued: the one queued before the first token is read is no part of the prompt.
// Held against the steps of a longer run, which whatever else the machine does makes as slow.
TEST_F(SequenceTest, TheFirstStepIsNotThePrompts) {
  constexpr int64_t kSteps = 8;
  run({5}, upTo(2)); // captures graphs
  std::vector<double> shares;
  for (int i = 0; i < 41; ++i) {
    ASSERT_TRUE(sequence->rewind(0).ok());
    const auto first = static_cast<double>(run({5}, upTo(2)).metrics.decodeNs);
    ASSERT_TRUE(sequence->rewind(0).ok());
    const auto all = static_cast<double>(run({5}, upTo(kSteps + 1)).metrics.decodeNs);
    shares.push_back(first / (all / kSteps));
  }
  std::ranges::nth_element(shares, shares.begin() + 20); // it does not hit most of them
  EXPECT_GT(shares[20], 0.4);
}

// Every prompt length cuts into other chunks and pages; the toy model notices any row, page or position that is wrong.
TEST_F(SequenceTest, EveryPromptLengthContinuesByTheFormula) {
  for (std::size_t length = 1; length < toy::kMaxContext; ++length) {
    ASSERT_TRUE(sequence->rewind(0).ok());
    const std::vector<int32_t> prompt = iota(length);
    const Collected collected = run(prompt);
    EXPECT_THAT(collected.tokens, ElementsAreArray(toy::continuation(prompt, toy::kMaxContext - length + 1)));
    EXPECT_EQ(collected.metrics.stop, StopReason::kContext);
    EXPECT_EQ(collected.metrics.promptTokens, length);
    EXPECT_EQ(collected.metrics.generatedTokens, toy::kMaxContext - length + 1);
    EXPECT_EQ(collected.metrics.decodeSteps, toy::kMaxContext - length);
  }
}

TEST_F(SequenceTest, GuardChangesNothing) {
  open(toy::kMaxContext, true);
  EXPECT_THAT(run(iota(9), upTo(12)).tokens, ElementsAreArray(toy::continuation(iota(9), 12)));
}

TEST_F(SequenceTest, MaxTokensAndZeroTokens) {
  Collected collected = run({1, 2, 3}, upTo(2));
  EXPECT_THAT(collected.tokens, ElementsAreArray(toy::continuation({1, 2, 3}, 2)));
  EXPECT_EQ(collected.metrics.stop, StopReason::kLength);
  collected = run({4}, upTo(0));
  EXPECT_TRUE(collected.tokens.empty());
  EXPECT_EQ(sequence->tokens().size(), 6u);
}

// Going on after a stop, whatever was queued beyond it, gives what one long run gives.
TEST_F(SequenceTest, StopsAndGoesOn) {
  const std::vector<int32_t> whole = toy::continuation({7, 7}, 20);
  GenerateOptions options;
  options.isStop = [&](int32_t token) { return token == whole[4]; };
  Collected collected = run({7, 7}, options);
  const std::size_t first = collected.tokens.size();
  EXPECT_EQ(collected.metrics.stop, StopReason::kToken);
  EXPECT_EQ(collected.tokens.back(), whole[4]);
  EXPECT_EQ(session->waiting(), 0u);
  collected = run({}, upTo(5));
  EXPECT_THAT(collected.tokens, ElementsAreArray(std::span(whole).subspan(first, 5)));
  EXPECT_LE(collected.metrics.promptTokens, 1u);
}

TEST_F(SequenceTest, CallbackStops) {
  GenerateOptions options;
  options.onToken = [](const GeneratedToken& token) { return token.index < 2; };
  const Collected collected = run({5}, options);
  EXPECT_EQ(collected.tokens.size(), 3u);
  EXPECT_EQ(collected.metrics.stop, StopReason::kCallback);
}

TEST_F(SequenceTest, RewindKeepsWhatIsBefore) {
  run(iota(10), upTo(6));
  ASSERT_TRUE(sequence->rewind(5).ok());
  std::vector<int32_t> prompt = iota(5);
  prompt.push_back(90);
  const Collected collected = run({90}, upTo(4));
  EXPECT_THAT(collected.tokens, ElementsAreArray(toy::continuation(prompt, 4)));
  EXPECT_EQ(collected.metrics.promptTokens, 1u);
}

// Going back within the pages that the window still has computes one token; further back, the prompt.
TEST_F(SequenceTest, RewindInAWindow) {
  ASSERT_TRUE(sequence->feed(iota(28)).ok());
  for (const auto& [kept, computed] : {std::pair<std::size_t, std::size_t>(27, 1), {20, 1}, {9, 10}}) {
    ASSERT_TRUE(sequence->rewind(kept).ok());
    std::vector<int32_t> prompt = iota(kept);
    prompt.push_back(90);
    const Collected collected = run({90}, upTo(2));
    EXPECT_THAT(collected.tokens, ElementsAreArray(toy::continuation(prompt, 2)));
    EXPECT_EQ(collected.metrics.promptTokens, computed) << kept;
    ASSERT_TRUE(sequence->rewind(0).ok());
    ASSERT_TRUE(sequence->feed(iota(28)).ok());
  }
}

TEST_F(SequenceTest, FeedThenGenerate) {
  ASSERT_TRUE(sequence->feed(iota(11)).ok());
  const Collected collected = run({}, upTo(3));
  EXPECT_THAT(collected.tokens, ElementsAreArray(toy::continuation(iota(11), 3)));
  EXPECT_EQ(collected.metrics.promptTokens, 1u);
}

// Chosen tokens are reported, forced ones are what goes on.
TEST_F(SequenceTest, ForcedTokens) {
  const std::vector<int32_t> forced = {9, 8, 96, 0, 55};
  GenerateOptions options;
  options.forced = forced;
  options.logprobs = 3;
  const Collected collected = run({1, 2}, options);
  ASSERT_EQ(collected.tokens.size(), forced.size());
  std::vector<int32_t> prompt = {1, 2};
  for (std::size_t i = 0; i < forced.size(); ++i) {
    EXPECT_EQ(collected.tokens[i], toy::nextToken(prompt)) << i;
    const std::vector<float> logits = toy::logits(prompt);
    const auto probabilities = LogProbabilities::of(logits);
    ASSERT_EQ(collected.top[i].size(), 3u);
    EXPECT_EQ(collected.top[i][0].token, collected.tokens[i]);
    EXPECT_NEAR(collected.top[i][2].logProbability, (*probabilities)[collected.top[i][2].token], 1e-5);
    EXPECT_EQ(collected.forced[i].token, forced[i]);
    EXPECT_NEAR(collected.forced[i].logProbability, (*probabilities)[forced[i]], 1e-5);
    prompt.push_back(forced[i]);
  }
  EXPECT_EQ(collected.metrics.stop, StopReason::kForced);
  EXPECT_THAT(std::vector(sequence->tokens().begin(), sequence->tokens().end()), ElementsAreArray(prompt));
}

TEST_F(SequenceTest, SamplingStepIsThePosition) {
  GenerateOptions options;
  options.maxTokens = 5;
  options.sampling.chain = 1;
  options.sampling.seed = 1234;
  const Collected collected = run({1, 2, 3}, options);
  for (uint64_t i = 0; i < 5; ++i) EXPECT_EQ(collected.tokens[i], toy::drawnToken(1234, 2 + i));
}

// The callback is on the way to the next step when it cancels: the step that was queued is dropped.
TEST_F(SequenceTest, CancelKeepsTheSequenceUsable) {
  GenerateOptions options;
  options.onToken = [&](const GeneratedToken& token) {
    if (token.index == 3)
      sequence->cancel();
    return true;
  };
  const Collected collected = toy::generate(*sequence, iota(4), options);
  ASSERT_FALSE(collected.result.ok());
  EXPECT_EQ(collected.result.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(collected.tokens.size(), 4u);
  EXPECT_EQ(collected.metrics.generatedTokens, 4u);
  EXPECT_EQ(sequence->tokens().size(), 8u);
  const std::vector<int32_t> whole = toy::continuation(iota(4), 7);
  EXPECT_THAT(run({}, upTo(3)).tokens, ElementsAreArray(std::span(whole).last(3)));
}

TEST_F(SequenceTest, WrongTokensAreNamed) {
  Metrics metrics;
  const auto message = [&](std::vector<int32_t> tokens, GenerateOptions options = {}) {
    const Result<void> result = sequence->generate(tokens, options, metrics);
    EXPECT_EQ(result.error().code, ErrorCode::kUsage);
    return result.error().message;
  };
  EXPECT_THAT(message({}), HasSubstr("nothing to continue"));
  EXPECT_THAT(message({1, 97}), HasSubstr("token 1 is 97, the vocabulary has 97"));
  EXPECT_THAT(message({-1}), HasSubstr("token 0 is -1"));
  EXPECT_THAT(message(iota(31)), HasSubstr("31 tokens do not fit into the context of 30 positions"));
  const std::vector<int32_t> forced = {99};
  GenerateOptions options;
  options.forced = forced;
  EXPECT_THAT(message({1}, options), HasSubstr("forced token 99"));
  EXPECT_TRUE(sequence->tokens().empty());
}

// Logits that are no numbers end the generation, and not the session.
TEST_F(SequenceTest, NoNumbers) {
  GenerateOptions options;
  options.sampling.seed = toy::kBrokenSeed;
  const Collected collected = toy::generate(*sequence, iota(5), options);
  ASSERT_FALSE(collected.result.ok());
  EXPECT_EQ(collected.result.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(collected.result.error().message, HasSubstr("the logits after token 8 are no numbers"));
  EXPECT_THAT(collected.tokens, ElementsAreArray(toy::continuation(iota(5), 4)));
  EXPECT_EQ(session->waiting(), 0u);
  ASSERT_TRUE(sequence->rewind(0).ok());
  EXPECT_THAT(run(iota(3), upTo(12)).tokens, ElementsAreArray(toy::continuation(iota(3), 12)));
}

TEST_F(SequenceTest, SmallContextTakesFewerPages) {
  open(9);
  EXPECT_EQ(session->memoryPlan().groups[0].pages, 3u);
  EXPECT_THAT(run(iota(5)).tokens, ElementsAreArray(toy::continuation(iota(5), 5)));
}

TEST_F(SequenceTest, SelfCheckPassesAndFails) {
  SelfCheckReport report;
  const Result<void> sound = selfCheck(session->program().engine(), *sequence, report);
  EXPECT_TRUE(sound.ok()) << sound.error().message;
  EXPECT_EQ(report.positions, 7u); // six steps, and the last one again as a prompt
  EXPECT_EQ(report.different, 0u);
  EXPECT_LT(report.maxError, 1e-4f);

  toy::ToyEngine other = toy::toyEngine(toy::readFile(LLCUDA_TOY_IMAGE_PATH));
  other.metadata.golden->top[10] = {1, other.metadata.golden->top[11].log_probability() + 1.5f}; // a decisive lead
  const Result<void> wrong = selfCheck(*toy::openToy(other), *sequence, report);
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, ErrorCode::kSelfCheckFailed);
  EXPECT_EQ(report.decisiveDifferent, 1u);

  other = toy::toyEngine(toy::readFile(LLCUDA_TOY_IMAGE_PATH));
  for (fb::TokenProbability& entry : other.metadata.golden->top)
    entry = {entry.token(), entry.log_probability() - 0.2f};
  EXPECT_THAT(selfCheck(*toy::openToy(other), *sequence, report).error().message, HasSubstr("differ by 0.2"));

  other.metadata.golden.reset();
  EXPECT_EQ(selfCheck(*toy::openToy(other), *sequence, report).error().code, ErrorCode::kUnsupported);
}

} // namespace
} // namespace llcuda
