// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/session.h"

#include <numeric>

#include <gmock/gmock.h>

#include "tests/runtime/exec/toy_session.h"

namespace llcuda {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::atomic<bool> kNotCancelled = false;

std::vector<int32_t> sampledOf(Session& session) {
  const auto output = session.take();
  EXPECT_TRUE(output.ok()) << output.error().message;
  return output ? std::vector(output->sampled.begin(), output->sampled.end()) : std::vector<int32_t>();
}

// Two sequences of different lengths decode in one graph, in either order of rows, and do not mix.
TEST(Session, TwoSlotsDecodeTogether) {
  auto created = toy::toySession(toy::kMaxContext, 2);
  ASSERT_TRUE(created.ok()) << created.error().message;
  Session& session = **created;
  std::vector<int32_t> sequences[2] = {{5, 6, 7, 8, 9, 10, 11, 12, 13}, {50, 40}};
  const SamplingParams greedy = {};
  for (uint32_t slot = 0; slot < 2; ++slot) {
    ASSERT_TRUE(session.prompt(slot, 0, sequences[slot], &greedy, false, kNotCancelled).ok());
    sequences[slot].push_back(sampledOf(session)[0]);
  }
  for (uint32_t first = 0; first < 2; ++first) {
    std::vector<DecodeRow> rows;
    for (uint32_t i = 0; i < 2; ++i) {
      const uint32_t slot = (first + i) % 2;
      const auto last = static_cast<uint32_t>(sequences[slot].size() - 1);
      rows.push_back({slot, sequences[slot][last], last, greedy});
    }
    ASSERT_TRUE(session.startDecode(rows).ok());
    for (int step = 0; step < 6; ++step) {
      ASSERT_TRUE(session.queueStep(false).ok());
      const std::vector<int32_t> sampled = sampledOf(session);
      for (uint32_t i = 0; i < 2; ++i) {
        std::vector<int32_t>& sequence = sequences[rows[i].slot];
        EXPECT_EQ(sampled[i], toy::nextToken(sequence));
        sequence.push_back(sampled[i]);
      }
    }
  }
}

// The second slot's row alone, in the narrow phase: slot and row are not the same number.
TEST(Session, OneRowOfTheSecondSlot) {
  auto created = toy::toySession(toy::kMaxContext, 2);
  ASSERT_TRUE(created.ok());
  const std::vector<int32_t> prompt = {1, 2, 3, 4, 5};
  ASSERT_TRUE((*created)->prompt(1, 0, prompt, nullptr, false, kNotCancelled).ok());
  EXPECT_EQ((*created)->waiting(), 0u);
  const DecodeRow row = {1, 6, 5, {}};
  ASSERT_TRUE((*created)->startDecode({&row, 1}).ok());
  ASSERT_TRUE((*created)->queueStep(true).ok());
  const auto output = (*created)->take();
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_THAT(output->sampled, ElementsAre(toy::nextToken(std::vector<int32_t>{1, 2, 3, 4, 5, 6})));
  EXPECT_EQ(output->logits.size(), toy::kVocabulary);
}

/// The tokens of rows while sequences come and go: each step's output is taken after the next step is queued.
class RowsTest : public testing::Test {
protected:
  void SetUp() override {
    auto created = toy::toySession(toy::kMaxContext, 2);
    ASSERT_TRUE(created.ok()) << created.error().message;
    session = std::move(*created);
  }

  /// A prompt whose first token goes into a row on the device.
  void joinPrompt(uint32_t row, uint32_t slot, const std::vector<int32_t>& prompt, SamplingParams sampling = {}) {
    ASSERT_TRUE(session->prompt(slot, 0, prompt, &sampling, false, kNotCancelled).ok());
    ASSERT_TRUE(session->joinOutput(row, 0, {slot, 0, static_cast<uint32_t>(prompt.size()), sampling}).ok());
  }
  std::vector<int32_t> step() {
    EXPECT_TRUE(session->queueStep(false).ok());
    return sampledOf(*session);
  }

  std::unique_ptr<Session> session;
};

// A second sequence joins, the first leaves, the second moves into its row: nothing is waited for but the outputs, and
// the device has every token before the host.
TEST_F(RowsTest, JoinLeaveMove) {
  const std::vector<int32_t> first = {1, 2, 3, 4, 5}, second = {60, 61};
  const std::vector<int32_t> firstRest = toy::continuation(first, 10), secondRest = toy::continuation(second, 10);
  const toy::HostsimControl hostsim;
  const uint64_t before = hostsim.calls("cuStreamSynchronize");
  joinPrompt(0, 0, first);
  ASSERT_TRUE(session->queueStep(false).ok());
  joinPrompt(1, 1, second);
  ASSERT_TRUE(session->queueStep(false).ok());
  EXPECT_THAT(sampledOf(*session), ElementsAre(firstRest[0]));
  EXPECT_THAT(sampledOf(*session), ElementsAre(firstRest[1]));
  ASSERT_TRUE(session->leave(0).ok());
  ASSERT_TRUE(session->queueStep(false).ok());
  EXPECT_THAT(sampledOf(*session), ElementsAre(secondRest[0]));
  EXPECT_THAT(sampledOf(*session), ElementsAre(firstRest[2], secondRest[1]));
  EXPECT_THAT(sampledOf(*session), ElementsAre(kSampledNothing, secondRest[2]));
  ASSERT_TRUE(session->move(1, 0).ok());
  EXPECT_THAT(step(), ElementsAre(secondRest[3]));
  EXPECT_EQ(session->rows()[0].position, second.size() + 3);
  EXPECT_EQ(hostsim.calls("cuStreamSynchronize"), before);
}

// As many prompts as outputs may wait are queued, each with a new page and all its inputs, and a step behind each: the
// host waits for no copy of them.
TEST_F(RowsTest, NoWaitForUploads) {
  const toy::HostsimControl hostsim;
  const SamplingParams greedy = {};
  const uint64_t before = hostsim.calls("cuEventSynchronize");
  for (uint32_t i = 0; i < OutputRing::kDepth; ++i) {
    const std::vector<int32_t> tokens(toy::kPageTokens, 7);
    const PromptPart part = {0, i * toy::kPageTokens, tokens, &greedy};
    ASSERT_TRUE(session->runPrompts(0, {&part, 1}, false).ok());
  }
  EXPECT_EQ(hostsim.calls("cuEventSynchronize"), before);
  EXPECT_EQ(session->waiting(), OutputRing::kDepth);
}

// A short follow-up as rows of one step, across an edge of pages: each sees what those before it write. The last one
// goes on alone.
TEST_F(RowsTest, NeighboursOfOneSlot) {
  std::vector<int32_t> sequence = {1, 2, 3, 4, 5, 6, 7};
  ASSERT_TRUE(session->prompt(0, 0, sequence, nullptr, false, kNotCancelled).ok());
  ASSERT_TRUE(session->startDecode(std::vector<DecodeRow>{{0, 40, 7, {}}, {0, 41, 8, {}}}).ok());
  sequence.push_back(40);
  const int32_t afterFirst = toy::nextToken(sequence);
  sequence.push_back(41);
  EXPECT_THAT(step(), ElementsAre(afterFirst, toy::nextToken(sequence)));
  ASSERT_TRUE(session->move(1, 0).ok());
  sequence.push_back(toy::nextToken(sequence));
  EXPECT_THAT(step(), ElementsAre(toy::nextToken(sequence)));
}

// A held row stays where it is while the other goes on, and goes on itself as if nothing had been.
TEST_F(RowsTest, HoldDelaysItsRowAlone) {
  const std::vector<int32_t> first = {9, 8, 7}, second = {5};
  const std::vector<int32_t> firstRest = toy::continuation(first, 10), secondRest = toy::continuation(second, 10);
  joinPrompt(0, 0, first);
  joinPrompt(1, 1, second);
  (void)sampledOf(*session), (void)sampledOf(*session);
  EXPECT_THAT(step(), ElementsAre(firstRest[1], secondRest[1]));
  ASSERT_TRUE(session->hold(0, true).ok());
  EXPECT_THAT(step(), ElementsAre(kSampledHeld, secondRest[2]));
  EXPECT_THAT(step(), ElementsAre(kSampledHeld, secondRest[3]));
  ASSERT_TRUE(session->hold(0, false).ok());
  EXPECT_THAT(step(), ElementsAre(firstRest[2], secondRest[4]));
}

// A row without numbers samples nothing any more; the one beside it does not notice, and the session goes on.
TEST_F(RowsTest, NoNumbersEndARowAlone) {
  const std::vector<int32_t> first = {1, 2, 3, 4, 5, 6}, second = {30, 31};
  const std::vector<int32_t> firstRest = toy::continuation(first, 8), secondRest = toy::continuation(second, 8);
  joinPrompt(0, 0, first, {toy::kBrokenSeed, 5});
  joinPrompt(1, 1, second);
  (void)sampledOf(*session), (void)sampledOf(*session);
  EXPECT_THAT(step(), ElementsAre(firstRest[1], secondRest[1])); // of positions 6 and 2
  EXPECT_THAT(step(), ElementsAre(firstRest[2], secondRest[2]));
  EXPECT_THAT(step(), ElementsAre(kSampledNothing, secondRest[3])); // of position 8
  EXPECT_THAT(step(), ElementsAre(kSampledNothing, secondRest[4]));
  ASSERT_TRUE(session->leave(0).ok());
  session->truncate(0, 0);
  joinPrompt(0, 0, {77});
  (void)sampledOf(*session);
  EXPECT_THAT(step(), ElementsAre(toy::continuation({77}, 2)[1], secondRest[5]));
}

// A prompt without numbers leaves its row to nobody.
TEST_F(RowsTest, APromptWithoutNumbers) {
  joinPrompt(0, 0, std::vector<int32_t>(9, 3), {toy::kBrokenSeed, 8});
  EXPECT_THAT(sampledOf(*session), ElementsAre(kSampledNothing));
  EXPECT_THAT(step(), ElementsAre(kSampledNothing));
}

// Two prompts in one run: each says its next token, and the longer one goes on alone.
TEST(Session, TwoPromptsShareAPhase) {
  auto created = toy::toySession(toy::kMaxContext, 2);
  ASSERT_TRUE(created.ok());
  Session& session = **created;
  const SamplingParams greedy = {};
  const std::vector<int32_t> prompts[] = {{1, 2, 3}, {50, 51, 52, 53, 54, 55, 56}};
  const uint32_t lengths[] = {3, 7};
  std::vector<int32_t> said;
  for (const PromptRun& run : promptRuns(session.promptShapes(), lengths)) {
    std::vector<PromptPart> parts;
    for (const PromptPiece& piece : run.pieces) {
      const bool last = piece.first + piece.tokens == lengths[piece.prompt];
      parts.push_back({1 - piece.prompt, piece.first,
                       std::span(prompts[piece.prompt]).subspan(piece.first, piece.tokens), last ? &greedy : nullptr});
    }
    ASSERT_TRUE(session.runPrompts(run.phase, parts, false).ok());
    for (const int32_t token : sampledOf(session)) said.push_back(token);
  }
  EXPECT_THAT(said, ElementsAre(toy::nextToken(prompts[0]), toy::nextToken(prompts[1])));
}

// A second slot begins with the pages of the first: it computes what follows, and what either writes the other does not
// see.
TEST(Session, TwoSlotsShareAPrefix) {
  auto created = toy::toySession(toy::kMaxContext, 2);
  ASSERT_TRUE(created.ok());
  Session& session = **created;
  const SamplingParams greedy = {};
  std::vector<int32_t> first(18), second;
  std::iota(first.begin(), first.end(), 20);
  ASSERT_TRUE(session.prompt(0, 0, first, nullptr, false, kNotCancelled).ok());
  EXPECT_EQ(session.share(1, 0, 18), 16u);
  second.assign(first.begin(), first.begin() + 16);
  second.insert(second.end(), {90, 91, 92});
  ASSERT_TRUE(session.prompt(1, 16, std::span(second).subspan(16), &greedy, false, kNotCancelled).ok());
  EXPECT_THAT(sampledOf(session), ElementsAre(toy::nextToken(second)));
  // The first begins again in pages of its own.
  std::vector<int32_t> third(17, 3);
  ASSERT_TRUE(session.prompt(0, 0, third, &greedy, false, kNotCancelled).ok());
  EXPECT_THAT(sampledOf(session), ElementsAre(toy::nextToken(third)));
  second.push_back(93);
  ASSERT_TRUE(session.prompt(1, 19, std::span(second).subspan(19), &greedy, false, kNotCancelled).ok());
  EXPECT_THAT(sampledOf(session), ElementsAre(toy::nextToken(second)));
}

// A sequence goes to host memory while a step of it is on its way, others write where it was, and it goes on in another
// slot and other pages as if nothing had been. Half a page, a page's edge, and more than a window.
TEST(Session, AwayAndBack) {
  for (const bool guard : {false, true})
    for (const uint32_t length : {3u, 6u, 8u, 15u}) {
      auto created = toy::toySession(toy::kMaxContext, 2, guard);
      ASSERT_TRUE(created.ok()) << created.error().message;
      Session& session = **created;
      const SamplingParams greedy = {};
      std::vector<int32_t> sequence(length);
      std::iota(sequence.begin(), sequence.end(), 11);
      ASSERT_TRUE(session.prompt(0, 0, sequence, &greedy, false, kNotCancelled).ok());
      ASSERT_TRUE(session.joinOutput(0, 0, {0, 0, length, greedy}).ok());
      sequence.push_back(sampledOf(session)[0]);
      ASSERT_TRUE(session.queueStep(false).ok());
      ASSERT_TRUE(session.leave(0).ok());
      HostPages host(session.program().device().context, session.copier().blockBytes(), 4096);
      auto copied = session.copyOut(0, length + 1, host);
      ASSERT_TRUE(copied.ok()) << copied.error().message;
      ASSERT_TRUE(copied->has_value());
      const SlotCopy& copy = **copied;
      EXPECT_EQ(copy.positions(), length + 1);
      EXPECT_EQ(copy.bytes(), host.usedBytes());
      session.truncate(0, 0);
      sequence.push_back(sampledOf(session)[0]);
      const std::vector<int32_t> other(20, 5);
      ASSERT_TRUE(session.prompt(0, 0, other, &greedy, false, kNotCancelled).ok());
      EXPECT_THAT(sampledOf(session), ElementsAre(toy::nextToken(other)));
      ASSERT_TRUE(session.copyIn(1, copy).ok());
      ASSERT_TRUE(session.join(0, {1, sequence.back(), length + 1, greedy}).ok());
      for (int step = 0; step < 6; ++step) {
        ASSERT_TRUE(session.queueStep(false).ok());
        const std::vector<int32_t> sampled = sampledOf(session);
        EXPECT_THAT(sampled, ElementsAre(toy::nextToken(sequence)));
        sequence.push_back(sampled[0]);
      }
      copied->reset();
      EXPECT_EQ(host.usedBytes(), 0u);
    }
}

// What a copy needs is not there: nothing changes, and it can be asked again.
TEST(Session, NoRoomToComeBack) {
  auto program = toy::loadToy(toy::openToy());
  ASSERT_TRUE(program.ok());
  Execution execution;
  execution.cacheBytes = 16 * 64; // 8 pages of 4 positions, and those of the windows
  auto created = Session::create(*program, toy::kMaxContext, 2, execution);
  ASSERT_TRUE(created.ok());
  Session& session = **created;
  const std::vector<int32_t> first(16, 4), second(20, 9);
  ASSERT_TRUE(session.prompt(0, 0, first, nullptr, false, kNotCancelled).ok());
  HostPages host(session.program().device().context, session.copier().blockBytes(), 4096);
  auto copy = session.copyOut(0, 16, host);
  ASSERT_TRUE(copy.ok() && *copy);
  session.truncate(0, 0);
  ASSERT_TRUE(session.prompt(1, 0, second, nullptr, false, kNotCancelled).ok());
  const auto refused = session.copyIn(0, **copy);
  EXPECT_EQ(refused.error().code, ErrorCode::kOutOfMemory);
  EXPECT_THAT(refused.error().message, HasSubstr("3 free pages, slot 0 needs 4"));
  session.truncate(1, 0);
  ASSERT_TRUE(session.copyIn(0, **copy).ok());
  ASSERT_TRUE(session.join(0, {0, 4, 16, {}}).ok());
  ASSERT_TRUE(session.queueStep(false).ok());
  EXPECT_THAT(sampledOf(session), ElementsAre(toy::nextToken(std::vector<int32_t>(17, 4))));
}

// What the asked context takes, and every byte back when it goes.
TEST(Session, GivesEveryByteBack) {
  auto program = toy::loadToy(toy::openToy());
  ASSERT_TRUE(program.ok());
  const auto freeBytes = [&] { return (*program)->device().context->memoryInfo()->freeBytes; };
  const uint64_t before = freeBytes();
  for (const uint32_t context : {1u, 9u, toy::kMaxContext}) {
    auto session = Session::create(*program, context, 1);
    ASSERT_TRUE(session.ok());
    EXPECT_EQ(before - freeBytes(), memoryPlan((*program)->engine(), context, 1).perSession());
    session->reset();
    EXPECT_EQ(freeBytes(), before);
  }
}

// With pages for less than both slots can use, a sequence that needs one more is refused, and the other goes on.
TEST(Session, PagesRunOut) {
  auto program = toy::loadToy(toy::openToy());
  ASSERT_TRUE(program.ok());
  Execution execution;
  execution.cacheBytes = 16 * 64; // 8 pages of 4 positions, and those of the windows
  auto created = Session::create(*program, toy::kMaxContext, 2, execution);
  ASSERT_TRUE(created.ok()) << created.error().message;
  Session& session = **created;
  EXPECT_EQ(session.memoryPlan().kv, 16u * 64);
  const SamplingParams greedy = {};
  const std::vector<int32_t> first(20, 4), second(13, 9);
  ASSERT_TRUE(session.prompt(0, 0, first, &greedy, false, kNotCancelled).ok());
  EXPECT_THAT(sampledOf(session), ElementsAre(toy::nextToken(first)));
  const auto refused = session.prompt(1, 0, second, &greedy, false, kNotCancelled);
  EXPECT_EQ(refused.error().code, ErrorCode::kOutOfMemory);
  EXPECT_THAT(refused.error().message, HasSubstr("free pages"));
  session.truncate(1, 0);
  ASSERT_TRUE(session.prompt(1, 0, std::span(second).first(12), &greedy, false, kNotCancelled).ok());
  EXPECT_THAT(sampledOf(session), ElementsAre(toy::nextToken(std::vector<int32_t>(12, 9))));
}

// All graphs are there before the first step, which captures none; tools for one sequence capture what they use.
TEST(Session, CapturesAtTheStartOrLazily) {
  auto program = toy::loadToy(toy::openToy());
  ASSERT_TRUE(program.ok());
  const auto& phases = *(*program)->engine().metadata().phases();
  uint32_t wanted = 0;
  for (const fb::Phase* phase : phases) wanted += phase->feeds_back() ? 1 : 2; // of a prompt the trunk alone too
  std::vector<uint32_t> progress;
  Execution execution;
  execution.capture = Capture::kAtStart;
  execution.onCapture = [&](uint32_t done, uint32_t all) {
    EXPECT_EQ(all, wanted);
    progress.push_back(done);
  };
  const toy::HostsimControl hostsim;
  auto eager = Session::create(*program, 12, 1, execution);
  ASSERT_TRUE(eager.ok()) << eager.error().message;
  EXPECT_EQ((*eager)->graphCount(), wanted);
  ASSERT_EQ(progress.size(), wanted);
  for (uint32_t i = 0; i < wanted; ++i) EXPECT_EQ(progress[i], i + 1);
  const uint64_t captures = hostsim.calls("cuStreamBeginCapture_v2");
  const std::vector<int32_t> prompt = {1, 2, 3};
  const SamplingParams greedy = {};
  ASSERT_TRUE((*eager)->prompt(0, 0, prompt, &greedy, false, kNotCancelled).ok());
  EXPECT_THAT(sampledOf(**eager), ElementsAre(toy::nextToken(prompt)));
  EXPECT_EQ(hostsim.calls("cuStreamBeginCapture_v2"), captures);

  auto lazy = Session::create(*program, 12, 1);
  ASSERT_TRUE(lazy.ok());
  EXPECT_EQ((*lazy)->graphCount(), 0u);
  ASSERT_TRUE((*lazy)->prompt(0, 0, prompt, &greedy, false, kNotCancelled).ok());
  EXPECT_THAT(sampledOf(**lazy), ElementsAre(toy::nextToken(prompt)));
  EXPECT_EQ((*lazy)->graphCount(), 1u);
}

TEST(Session, ThreeKernelsADecodeStep) {
  auto created = toy::toySession();
  ASSERT_TRUE(created.ok());
  const auto nodes = (*created)->decodeNodes();
  ASSERT_TRUE(nodes.ok()) << nodes.error().message;
  EXPECT_EQ(*nodes, 3u);
}

TEST(Session, CancelledBeforeAChunk) {
  auto created = toy::toySession();
  ASSERT_TRUE(created.ok());
  const std::atomic<bool> cancelled = true;
  const std::vector<int32_t> prompt = {1, 2, 3};
  EXPECT_EQ((*created)->prompt(0, 0, prompt, nullptr, false, cancelled).error().code, ErrorCode::kCancelled);
}

TEST(Session, RefusesBeforeItAllocates) {
  auto program = toy::loadToy(toy::openToy());
  ASSERT_TRUE(program.ok());
  const toy::HostsimControl hostsim;
  const auto info = (*program)->device().context->memoryInfo();
  ASSERT_TRUE(info.ok());
  const uint64_t used = info->totalBytes - info->freeBytes;
  const MemoryPlan plan = memoryPlan((*program)->engine(), toy::kMaxContext, 1);
  hostsim.setMemory(used + plan.perSession() - 1);
  const uint64_t allocations = hostsim.calls("cuMemAlloc_v2");
  const auto created = Session::create(*program, toy::kMaxContext, 1);
  hostsim.setMemory(uint64_t{16} << 30);
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.error().code, ErrorCode::kOutOfMemory);
  EXPECT_THAT(created.error().message, HasSubstr(detail::concat("needs ", plan.perSession(), " bytes")));
  EXPECT_THAT(created.error().message, HasSubstr("; -c 16 fits"));
  EXPECT_EQ(hostsim.calls("cuMemAlloc_v2"), allocations);
}

// Rows of two prompts in one run are scored, some of them, more than the tail takes at a time, and summed, across the
// edge of a block; one of the two is asked for its next token. All of it is one output.
TEST(Session, ScoresAndSumsOfPrompts) {
  auto created = toy::toySession(toy::kMaxContext, 2);
  ASSERT_TRUE(created.ok());
  Session& session = **created;
  const std::vector<int32_t> first = {5, 6, 7}, second = {50, 40, 30, 20};
  const std::vector<int32_t> scoredFirst = {6, 7, 96}, scoredSecond = {-1, 30, 20, -1};
  const SamplingParams greedy = {};
  PromptPart parts[] = {{0, 0, first}, {1, 0, second, &greedy}};
  parts[0].scored = scoredFirst;
  parts[0].pooled = {1, 2};
  parts[1].scored = scoredSecond;
  ASSERT_TRUE(session.runPrompts(1, parts, {true, true}).ok());
  EXPECT_EQ(session.waiting(), 1u);
  const auto output = session.take();
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_THAT(output->sampled, ElementsAre(toy::nextToken(second)));
  ASSERT_EQ(output->scores.size(), 1u);
  EXPECT_EQ(output->scores[0].token, toy::nextToken(second));
  EXPECT_FLOAT_EQ(output->scores[0].logProbability, (*LogProbabilities::of(output->logits))[output->sampled[0]]);
  EXPECT_THAT(output->pooled, ElementsAre(13.f, 0.f));
  ASSERT_EQ(output->promptScores.size(), 5u);
  const auto expectScore = [&](const TokenScore& score, const std::vector<int32_t>& before, int32_t token) {
    const std::vector<float> logits = toy::logits(before);
    const auto expected = LogProbabilities::of(logits);
    EXPECT_EQ(score.token, token);
    EXPECT_NEAR(score.logProbability, (*expected)[token], 1e-5);
    const std::vector<Candidate> top = expected->top(kTopTokens);
    for (std::size_t rank = 0; rank < top.size(); ++rank) {
      EXPECT_EQ(score.topTokens[rank], top[rank].token);
      EXPECT_NEAR(score.topLogProbabilities[rank], top[rank].logProbability, 1e-5);
    }
  };
  expectScore(output->promptScores[0], {5}, 6);
  expectScore(output->promptScores[1], {5, 6}, 7);
  expectScore(output->promptScores[2], {5, 6, 7}, 96);
  expectScore(output->promptScores[3], {50, 40}, 30);
  expectScore(output->promptScores[4], {50, 40, 30}, 20);
}

// Decode rows report how likely what they sampled is when it is asked for: one launch more, outside the graph. A row on
// hold and one that nobody has have no score.
TEST(Session, ReportsOfDecodeRows) {
  auto created = toy::toySession(toy::kMaxContext, 2);
  ASSERT_TRUE(created.ok());
  Session& session = **created;
  const toy::HostsimControl hostsim;
  std::vector<int32_t> sequence = {3, 1, 4, 1, 5};
  ASSERT_TRUE(session.prompt(0, 0, sequence, nullptr, false, kNotCancelled).ok());
  ASSERT_TRUE(session.prompt(1, 0, sequence, nullptr, false, kNotCancelled).ok());
  ASSERT_TRUE(session.startDecode(std::vector<DecodeRow>{{0, 9, 5, {}}, {1, 9, 5, {}}}).ok());
  ASSERT_TRUE(session.hold(1, true).ok());
  sequence.push_back(9);
  ASSERT_TRUE(session.queueStep(false).ok()); // captures the graph
  EXPECT_TRUE(session.take()->scores.empty());
  sequence.push_back(toy::nextToken(sequence));
  const uint64_t before = hostsim.calls("cuLaunchKernel");
  ASSERT_TRUE(session.queueStep(false).ok());
  EXPECT_EQ(hostsim.calls("cuLaunchKernel"), before);
  ASSERT_TRUE(session.take().ok());
  std::vector<int32_t> longer = sequence;
  longer.push_back(toy::nextToken(sequence));
  ASSERT_TRUE(session.queueStep({false, true}).ok());
  EXPECT_EQ(hostsim.calls("cuLaunchKernel"), before + 1);
  const auto output = session.take();
  ASSERT_TRUE(output.ok());
  ASSERT_EQ(output->scores.size(), 2u);
  EXPECT_EQ(output->scores[0].token, toy::nextToken(longer));
  EXPECT_NEAR(output->scores[0].logProbability, (*LogProbabilities::of(toy::logits(longer)))[output->sampled[0]], 1e-5);
  EXPECT_EQ(output->scores[1].token, kSampledHeld);
}

} // namespace
} // namespace llcuda
