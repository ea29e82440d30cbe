// SPDX-License-Identifier: Apache-2.0
// The engine loop on the toy engine, without threads.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/serving/engine_loop.h"
#include "tests/runtime/serving/toy_scheduler.h"

namespace llcuda::toy {

/// An engine loop of the toy engine, step by step.
class LoopTest : public testing::Test {
protected:
  /// With `pages` for all positions; a sequence of the whole context has 8.
  void open(uint32_t pages, uint64_t hostBytes, bool measures = false, bool fair = false, uint32_t slots = kWideBatch) {
    loop.reset();
    draft.reset();
    session.reset();
    events = std::make_unique<serving::EventQueue>();
    ASSERT_TRUE(events->open().ok());
    clock = std::make_unique<PhaseClock>(served.program->device().context);
    Execution execution;
    execution.cacheBytes = cacheBytes(*served.engine, pages);
    execution.clock = clock.get();
    auto created = Session::create(served.program, kMaxContext, slots, execution);
    ASSERT_TRUE(created.ok()) << created.error().message;
    session = std::move(*created);
    serving::LoopOptions options;
    options.hostCacheBytes = hostBytes;
    options.fair = fair;
    options.speculation = speculation;
    if (draftProgram) {
      auto model = serving::DraftModel::create(draftProgram, kVocabulary, draftOptions);
      ASSERT_TRUE(model.ok()) << model.error().message;
      draft = std::move(*model);
      options.draft = draft.get();
    }
    loop = std::make_unique<serving::EngineLoop>(*session, *clock, served.text(), options, *events);
    ASSERT_TRUE(!measures || loop->measure().ok());
    said.clear();
    nextId = 1;
  }
  uint64_t submit(serving::RequestOptions request) {
    EXPECT_TRUE(loop->submit(nextId, std::move(request), std::chrono::steady_clock::now()).ok());
    return nextId++;
  }
  void step() {
    const auto stepped = loop->step();
    ASSERT_TRUE(stepped.ok()) << stepped.error().message;
    loop->sayEnded();
    for (serving::Event& event : events->take(SIZE_MAX, std::chrono::milliseconds(0))) hear(said, std::move(event));
  }
  void run() {
    for (int steps = 0; !loop->isIdle(); ++steps) {
      const serving::Stats stats = loop->stats();
      ASSERT_LT(steps, 2000) << "it does not end: " << stats.waiting << " wait, " << stats.prompts << " prompts, "
                             << stats.generating << " generate, " << stats.paused << " paused, " << stats.freePages
                             << " pages free, " << stats.pauses << " pauses, " << stats.promptRuns << " runs";
      step();
    }
  }
  /// Eight requests of all lengths, each for as many tokens as the context has.
  std::vector<serving::RequestOptions> eight() const {
    std::vector<serving::RequestOptions> requests;
    for (int32_t i = 0; i < 8; ++i) {
      const auto length = static_cast<uint32_t>(1 + i * 5 % 17);
      requests.push_back(greedyRequest(3 * i, length, kMaxContext - length + 1));
    }
    return requests;
  }
  void expectRight(uint64_t id, const serving::RequestOptions& request) {
    EXPECT_EQ(said[id].last.kind, serving::EventKind::kDone);
    EXPECT_EQ(said[id].tokens, continuation(request.tokens, static_cast<std::size_t>(request.maxTokens)));
  }

  serving::SpeculationOptions speculation;     ///< of the next open()
  std::shared_ptr<const Program> draftProgram; ///< the same: guesses, where there is one
  serving::DraftModelOptions draftOptions = {kMaxContext, kWideBatch};
  ServedToy served = servedToy();
  std::unique_ptr<serving::EventQueue> events;
  std::unique_ptr<PhaseClock> clock;
  std::unique_ptr<Session> session;
  std::unique_ptr<serving::DraftModel> draft;
  std::unique_ptr<serving::EngineLoop> loop;
  std::map<uint64_t, Said> said;
  uint64_t nextId = 1;
};

} // namespace llcuda::toy
