// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/memory_plan.h"

#include "codegen/formats/row_edits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runtime/engine/toy_engine.h"

namespace llcuda {
namespace {

using testing::HasSubstr;

class MemoryPlanTest : public testing::Test {
protected:
  std::vector<std::byte> file = toy::fileBytes(toy::toyEngine());
  Engine engine = std::move(Engine::view(file, "toy.engine")).value();
};

// Worked out by hand from the toy engine's buffers.
TEST_F(MemoryPlanTest, CountsEveryBuffer) {
  const MemoryPlan plan = memoryPlan(engine, 30, 2);
  EXPECT_EQ(plan.weights, 97u * 4);
  EXPECT_EQ(plan.constants, 4u);
  EXPECT_EQ(plan.arena, 256u);
  ASSERT_EQ(plan.groups.size(), 2u);
  EXPECT_EQ(plan.groups[0].pages, 16u);
  EXPECT_EQ(plan.group(toy::kWindow)->slotPages, 4u);
  EXPECT_EQ(plan.group(toy::kWindow)->pages, 8u);
  EXPECT_EQ(plan.group(7), nullptr);
  EXPECT_EQ(plan.kv, (16u + 8) * 64);
  // Two buffers hold logits, two hold scores of 176 bytes (two and three), and 17 others fit into 256 bytes.
  EXPECT_EQ(plan.io, 17u * 256 + 2 * 1024 + 512 + 768 + schema::alignUp(editsBytes(2)));
  EXPECT_EQ(plan.counters, 256u);
  EXPECT_EQ(plan.total(), plan.shared() + plan.perSession());
}

// What slots can use is the most; with less the window's pages stay and the others go, down to those of one sequence.
TEST_F(MemoryPlanTest, PoolsWithinABudget) {
  const MemoryPlan whole = memoryPlan(engine, 30, 2);
  EXPECT_EQ(memoryPlanWithin(engine, 30, 2, whole.kv + 1)->kv, whole.kv);
  const auto groupsWithin = [&](uint64_t bytes) {
    const Result<MemoryPlan> plan = memoryPlanWithin(engine, 30, 2, bytes);
    EXPECT_TRUE(plan.ok()) << plan.error().message;
    EXPECT_LE(plan->kv, bytes);
    EXPECT_EQ(plan->total() - plan->kv, whole.total() - whole.kv);
    return std::pair(plan->group(0)->pages, plan->group(toy::kWindow)->pages);
  };
  // Pages of 64 bytes, pools of multiples of 256: 16 + 8 pages are all that two slots can use.
  EXPECT_EQ(groupsWithin(24 * 64 - 1), std::pair(12u, 8u));
  EXPECT_EQ(groupsWithin(16 * 64), std::pair(8u, 8u));
  EXPECT_EQ(groupsWithin(15 * 64), std::pair(8u, 4u));
  EXPECT_EQ(groupsWithin(12 * 64), std::pair(8u, 4u));
  const auto none = memoryPlanWithin(engine, 30, 2, 12 * 64 - 1);
  EXPECT_EQ(none.error().code, ErrorCode::kOutOfMemory);
  EXPECT_THAT(none.error().message, HasSubstr("a sequence of 30 positions takes 768 bytes of KV cache, 767 are given"));
}

TEST_F(MemoryPlanTest, WhatPoolsHold) {
  const MemoryPlan plan = *memoryPlanWithin(engine, 30, 2, 16 * 64); // 8 pages of 4 positions, and 8 of a window's
  EXPECT_TRUE(holds(engine, plan, 1, 30));
  EXPECT_FALSE(holds(engine, plan, 2, 30));
  EXPECT_TRUE(holds(engine, plan, 2, 16));
  EXPECT_FALSE(holds(engine, plan, 2, 17));
  EXPECT_EQ(cacheBudget(plan, plan.total() + kReservedBytes), plan.kv);
  EXPECT_EQ(cacheBudget(plan, 5), 0u);
}

// A pool says itself what it holds: what its buffer is called does not matter.
TEST(MemoryPlanTypes, BytesInOtherTypesComeFromThePoolsOwn) {
  toy::ToyEngine mixed = toy::toyEngine();
  mixed.metadata.model->head_size = 32; // blocks are of 32
  fb::BufferT& values = *mixed.metadata.buffers[4];
  ASSERT_EQ(values.part, fb::KvPart::values);
  values.kv_type = "q8_0";
  values.bytes = 68; // of 2 x 32 elements
  values.name = "k_pages";
  const std::vector<std::byte> file = toy::fileBytes(mixed);
  const Engine engine = std::move(Engine::view(file, "toy.engine")).value();
  const MemoryPlan plan = memoryPlan(engine, 30, 2);
  EXPECT_EQ(kvBytesAs(engine, plan, KvType::kF16), 16u * 64 + 8u * 128);
  EXPECT_EQ(kvBytesAs(engine, plan, KvType::kQ8_0), schema::alignUp(16u * 34) + schema::alignUp(8u * 68));
}

// Nine positions need three pages of four.
TEST_F(MemoryPlanTest, ContextIsRoundedUpToPages) {
  EXPECT_EQ(memoryPlan(engine, 8, 1).groups[0].pages, 2u);
  EXPECT_EQ(memoryPlan(engine, 9, 1).groups[0].pages, 3u);
}

// The pages that window + chunk - 1 positions can touch; of a context that has fewer, all.
TEST_F(MemoryPlanTest, PagesOfAWindow) {
  EXPECT_EQ(windowPages(512, 512, 64), 17u);
  EXPECT_EQ(windowPages(1, 1, 64), 1u);
  EXPECT_EQ(windowPages(1, 2, 64), 2u);
  EXPECT_EQ(windowPages(65, 1, 64), 2u);
  EXPECT_EQ(windowPages(66, 1, 64), 3u);
  EXPECT_EQ(memoryPlan(engine, 9, 1).group(toy::kWindow)->pages, 3u);
}

// A state is there once for each slot.
TEST_F(MemoryPlanTest, StatesOfSlots) {
  toy::ToyEngine toy = toy::toyEngine();
  toy.metadata.buffers[3]->kind = fb::BufferKind::state;
  toy.metadata.buffers[3]->part = fb::KvPart::none, toy.metadata.buffers[3]->kv_type.clear();
  toy.metadata.buffers[3]->bytes = 300;
  const std::vector<std::byte> bytes = toy::fileBytes(toy);
  const Engine stateful = std::move(Engine::view(bytes, "state.engine")).value();
  const MemoryPlan plan = memoryPlan(stateful, 30, 2);
  EXPECT_EQ(plan.states, 768u);
  EXPECT_EQ(plan.kv, 8u * 64);
  EXPECT_EQ(plan.perSession(), plan.arena + plan.kv + plan.states + plan.io + plan.counters);
}

TEST_F(MemoryPlanTest, LargestContextFitsAndOnePageMoreDoesNot) {
  for (uint32_t slots = 1; slots <= 2; ++slots)
    for (uint64_t available = 0; available < 10000; available += 64) {
      const uint32_t context = largestContext(engine, slots, available, true);
      if (context != 0) {
        EXPECT_LE(memoryPlan(engine, context, slots).total(), available);
      }
      if (context < toy::kMaxContext) {
        EXPECT_GT(memoryPlan(engine, context + toy::kPageTokens, slots).total(), available);
      }
    }
  EXPECT_EQ(largestContext(engine, 2, 1u << 20, true), toy::kMaxContext);
}

// Pools are rounded up to 256 bytes, so a pool of 14 pages is no smaller than one of 16.
TEST_F(MemoryPlanTest, RefusalNamesBytesAndWhatFits) {
  const MemoryPlan plan = memoryPlan(engine, 30, 2);
  EXPECT_TRUE(checkMemory(engine, plan, 2, plan.total(), true).ok());
  EXPECT_TRUE(checkMemory(engine, plan, 2, plan.perSession(), false).ok());

  const Result<void> refused = checkMemory(engine, plan, 2, plan.total() - 1, true);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kOutOfMemory);
  EXPECT_THAT(refused.error().message, HasSubstr(detail::concat("needs ", plan.total(), " bytes")));
  EXPECT_THAT(refused.error().message, HasSubstr(detail::concat(plan.total() - 1, " are free")));
  EXPECT_THAT(refused.error().message, HasSubstr("; -c 24 fits"));
  EXPECT_THAT(checkMemory(engine, plan, 2, 100, true).error().message, HasSubstr("no context fits"));
}

} // namespace
} // namespace llcuda
