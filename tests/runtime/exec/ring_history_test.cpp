// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/ring_history.h"

#include <gtest/gtest.h>

#include "runtime/exec/memory_plan.h"
#include "tests/runtime/engine/toy_engine.h"

namespace llcuda {
namespace {

/// The toy engine with its key pool as a ring of four pages of four positions, for rows that see six of them.
class RingHistoryTest : public testing::Test {
protected:
  static std::vector<std::byte> ringEngine() {
    toy::ToyEngine toy = toy::toyEngine();
    for (auto& buffer : toy.metadata.buffers)
      if (buffer->name == "k.0")
        buffer->ring_pages = 4, buffer->window = 6;
    return toy::fileBytes(toy);
  }
  std::vector<std::byte> file = ringEngine(), plainFile = toy::fileBytes(toy::toyEngine());
  Engine engine = std::move(Engine::view(file, "ring.engine")).value();
  Engine plain = std::move(Engine::view(plainFile, "toy.engine")).value();
};

// Position 20 took the cell of position 4: a row at 10 still sees 5 to 10, a row at 9 would see 4.
TEST_F(RingHistoryTest, AWindowIsUsableUntilItIsOverwritten) {
  RingHistory history(engine, 2);
  history.write(0, 0, 16);
  for (uint32_t positions = 0; positions <= 16; ++positions) EXPECT_EQ(history.usable(0, positions), positions);
  history.write(0, 16, 21);
  EXPECT_EQ(history.usable(0, 21), 21u);
  EXPECT_EQ(history.usable(0, 10), 10u);
  EXPECT_EQ(history.usable(0, 9), 0u);
  EXPECT_EQ(history.usable(1, 0), 0u) << "the other slot has its own ring";
}

// Going back does not bring back what was overwritten; beginning again does.
TEST_F(RingHistoryTest, GoingBackAndBeginningAgain) {
  RingHistory history(engine, 1);
  history.write(0, 0, 21);
  history.write(0, 12, 13);
  EXPECT_EQ(history.usable(0, 9), 0u);
  history.write(0, 0, 13);
  EXPECT_EQ(history.usable(0, 9), 9u);
}

TEST_F(RingHistoryTest, WithoutRingsEverythingIsUsable) {
  RingHistory history(plain, 1);
  history.write(0, 0, 30);
  EXPECT_EQ(history.usable(0, 3), 3u);
}

// The ring of every slot, but for the last one no more than the context.
TEST_F(RingHistoryTest, MemoryIsThatOfTheRings) {
  const uint64_t keys = 2 * 4 * 64, values = 2 * 8 * 64;
  EXPECT_EQ(memoryPlan(engine, 30, 2).kv, keys + values);
  EXPECT_EQ(memoryPlan(plain, 30, 2).kv, 2 * values);
  EXPECT_EQ(memoryPlan(engine, 8, 2).kv, schema::alignUp((4 + 2) * 64) + schema::alignUp(4 * 64));
}

} // namespace
} // namespace llcuda
