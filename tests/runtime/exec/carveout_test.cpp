// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/carveout.h"

#include <gtest/gtest.h>

namespace llcuda {
namespace {

// All that blocks side by side use, no more: the rest is cache.
TEST(Carveout, IsWhatResidentBlocksUse) {
  EXPECT_EQ(carveoutPercent({.threads = 128, .registers = 40}), 0u);
  EXPECT_EQ(carveoutPercent({.threads = 128, .registers = 234, .sharedBytes = 6144}), 19u) << "two blocks";
  EXPECT_EQ(carveoutPercent({.threads = 256, .registers = 128, .sharedBytes = 18432}), 57u) << "two";
  EXPECT_EQ(carveoutPercent({.threads = 1024, .registers = 64, .sharedBytes = 49152}), 75u) << "one";
  EXPECT_EQ(carveoutPercent({.threads = 32, .registers = 16, .sharedBytes = 49152}), 100u);
}

// Images without facts of machine code, and blocks that alone take all registers there are.
TEST(Carveout, OddBlocks) {
  EXPECT_EQ(carveoutPercent({.threads = 512, .sharedBytes = 1024}), 4u);
  EXPECT_EQ(carveoutPercent({.threads = 1024, .registers = 255, .sharedBytes = 32768}), 50u);
}

} // namespace
} // namespace llcuda
