// SPDX-License-Identifier: Apache-2.0
// Requests on the toy engine, whose answers are known by formula.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/serving/scheduler.h"
#include "runtime/text/tokenizer.h"
#include "tests/runtime/engine/toy_text.h"
#include "tests/runtime/exec/toy_session.h"

namespace llcuda::toy {

/// The toy engine with a vocabulary and a wide batch, loaded, and how its tokens are read.
struct ServedToy {
  std::shared_ptr<const Engine> engine;
  std::shared_ptr<const Program> program;
  text::TextConfig config;
  std::unique_ptr<text::Tokenizer> tokenizer;

  serving::TextRules text() const { return {tokenizer.get(), &config}; }
};

/// `capitals`: addText(); with masks.
inline ServedToy servedToy(uint32_t maxBatch = kWideBatch, bool batchInvariant = false,
                           std::string_view capitals = {}) {
  ServedToy served;
  ToyEngine toy = toyEngine(readFile(LLCUDA_TOY_IMAGE_PATH), maxBatch);
  toy.metadata.batch_invariant = batchInvariant;
  if (!capitals.empty())
    addMasks(toy);
  addText(toy, capitals);
  served.engine = openToy(toy);
  auto program = loadToy(served.engine);
  EXPECT_TRUE(program.ok()) << program.error().message;
  served.program = std::move(*program);
  served.config = *text::parseTextConfig(served.engine->textConfig());
  auto tokenizer = text::Tokenizer::open(served.engine->tokenizerJson(), served.config);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  served.tokenizer = std::make_unique<text::Tokenizer>(std::move(*tokenizer));
  return served;
}

/// Bytes of a cache with so many pages for all positions, beside those of the windows of every slot.
inline uint64_t cacheBytes(const Engine& engine, uint32_t pages) {
  const MemoryPlan plan = memoryPlan(engine, kMaxContext, engine.metadata().max_batch());
  return (uint64_t{pages} + plan.group(kWindow)->pages) * kPageTokens * kHeadSize * sizeof(uint16_t);
}

/// What a request said.
struct Said {
  std::vector<int32_t> tokens;
  std::string text;
  std::vector<serving::EventKind> kinds;
  serving::Event last;

  bool hasEnded() const { return last.kind == serving::EventKind::kDone || last.kind == serving::EventKind::kFailed; }
};

inline void hear(std::map<uint64_t, Said>& said, serving::Event event) {
  Said& one = said[event.request];
  EXPECT_FALSE(one.hasEnded()) << "an event after the last one";
  one.kinds.push_back(event.kind);
  if (event.token >= 0)
    one.tokens.push_back(event.token);
  one.text += event.text;
  one.last = std::move(event);
}

/// Requests that go through a scheduler of a toy.
class ScheduledTest : public testing::Test {
protected:
  /// `measures`: SchedulerOptions::measures of all its schedulers.
  explicit ScheduledTest(ServedToy served, std::optional<bool> measures = {})
      : toy(std::move(served)), measures(measures) {}

  void open(serving::SchedulerOptions options = {}) {
    options.measures = measures;
    scheduler.reset();
    said.clear();
    auto created = serving::Scheduler::create(toy.program, toy.text(), options);
    ASSERT_TRUE(created.ok()) << created.error().message;
    scheduler = std::move(*created);
  }
  uint64_t submit(serving::RequestOptions request) {
    const auto id = scheduler->submit(std::move(request));
    EXPECT_TRUE(id.ok()) << id.error().message;
    return id ? *id : 0;
  }
  /// Requests that have ended.
  std::size_t ended() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(said, [](const auto& entry) { return entry.second.hasEnded(); }));
  }

  ServedToy toy;
  std::unique_ptr<serving::Scheduler> scheduler;
  std::map<uint64_t, Said> said;

private:
  const std::optional<bool> measures;
};

/// A greedy request of `length` tokens that begin at `first`, which generates `count`.
inline serving::RequestOptions greedyRequest(int32_t first, uint32_t length, int64_t count) {
  serving::RequestOptions request;
  for (uint32_t i = 0; i < length; ++i)
    request.tokens.push_back((first + 7 * static_cast<int32_t>(i)) % static_cast<int32_t>(kVocabulary));
  request.maxTokens = count;
  request.ignoreStop = true;
  return request;
}

} // namespace llcuda::toy
