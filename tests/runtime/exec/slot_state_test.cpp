// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/slot_state.h"

#include <gmock/gmock.h>

#include "tests/runtime/engine/toy_engine.h"

namespace llcuda {
namespace {

using testing::HasSubstr;

class SlotStateTest : public testing::Test {
protected:
  /// The toy engine; `state`: its keys are a state instead of pages.
  static Engine engineWith(std::vector<std::byte>& file, bool state) {
    toy::ToyEngine toy = toy::toyEngine();
    if (state) {
      toy.metadata.buffers[3]->kind = fb::BufferKind::state;
      toy.metadata.buffers[3]->part = fb::KvPart::none, toy.metadata.buffers[3]->kv_type.clear();
    }
    file = toy::fileBytes(toy);
    return std::move(Engine::view(file, "toy.engine")).value();
  }
  std::vector<std::byte> pagedFile, stateFile;
  Engine paged = engineWith(pagedFile, false), stateful = engineWith(stateFile, true);
};

// Every group has pages, or none gives any.
TEST_F(SlotStateTest, AllOrNothing) {
  SlotState slots(paged, memoryPlan(paged, 12, 1)); // three pages of everything, four of the window at most
  ASSERT_TRUE(slots.reserve(0, 0, 8).ok());
  const Result<void> refused = slots.reserve(1, 0, 8);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kOutOfMemory);
  EXPECT_THAT(refused.error().message, HasSubstr("1 free pages, slot 1 needs 2 more"));
  for (const SlotState::Group& group : slots.groups()) EXPECT_EQ(group.table.pool().freeCount(), 1u);
}

// What the window has lost is lost for all groups; what is shared begins at a whole page.
TEST_F(SlotStateTest, ContinuesWhereEveryGroupDoes) {
  SlotState slots(paged, memoryPlan(paged, 30, 2));
  ASSERT_TRUE(slots.reserve(0, 0, 8).ok());
  for (uint32_t position = 8; position < 30; ++position) ASSERT_TRUE(slots.reserve(0, position, position + 1).ok());
  EXPECT_EQ(slots.continuable(0, 29), 29u);
  EXPECT_EQ(slots.continuable(0, 21), 21u); // sees 16 and on
  EXPECT_EQ(slots.continuable(0, 20), 0u);
  EXPECT_EQ(slots.share(1, 0, 27), 24u);
  EXPECT_EQ(slots.continuable(1, 24), 24u);
  EXPECT_EQ(slots.continuable(1, 23), 0u); // page 5 is shared, and 20 is no place to begin
  slots.truncate(1, 0);
  slots.truncate(0, 0);
  for (const SlotState::Group& group : slots.groups())
    EXPECT_EQ(group.table.pool().freeCount(), group.table.shape().poolPages);
}

// A state is of one place in the sequence.
TEST_F(SlotStateTest, StatesContinueWhereTheyAre) {
  SlotState slots(stateful, memoryPlan(stateful, 30, 2));
  EXPECT_TRUE(slots.beginsState(0));
  EXPECT_FALSE(slots.beginsState(5));
  ASSERT_TRUE(slots.reserve(0, 0, 5).ok());
  EXPECT_EQ(slots.continuable(0, 5), 5u);
  EXPECT_EQ(slots.continuable(0, 4), 0u);
  EXPECT_EQ(slots.share(1, 0, 4), 0u);
  ASSERT_TRUE(slots.reserve(0, 5, 6).ok()); // one token more: what was there before it is kept
  EXPECT_EQ(slots.continuable(0, 6), 6u);
  EXPECT_EQ(slots.continuable(0, 5), 5u);
  EXPECT_EQ(slots.continuable(0, 4), 0u);
  ASSERT_TRUE(slots.reserve(0, 5, 6).ok()); // the same again
  EXPECT_EQ(slots.continuable(0, 5), 5u);
  ASSERT_TRUE(slots.reserve(0, 6, 8).ok());
  EXPECT_EQ(slots.continuable(0, 6), 0u);
}

} // namespace
} // namespace llcuda
