// SPDX-License-Identifier: Apache-2.0
// Loops whose time can be worked out by hand.
#include "codegen/sass/multiprocessor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::codegen {
namespace {

std::vector<SassInstruction> repeated(const char* opcode, size_t count, SassControl control = {}) {
  return std::vector<SassInstruction>(count, SassInstruction{0, opcode, control});
}

SassInstruction branch() {
  return {0, "BRA", {}};
}

double busyOf(const LoopRun& run, SassPipe pipe) {
  return run.busy[static_cast<size_t>(pipe)];
}

// A warp of 32 lanes takes 16 lanes for 2 cycles; the branch of one warp is hidden by another one's products.
TEST(Multiprocessor, AUnitIsTheBound) {
  std::vector<SassInstruction> loop = repeated("FFMA", 32);
  loop.push_back(branch());
  EXPECT_NEAR(runLoop(loop, 1, 4).cycles, 64 + 8, 2);
  const LoopRun run = runLoop(loop, 4, 4);
  EXPECT_NEAR(run.cycles, 64, 2);
  EXPECT_NEAR(busyOf(run, SassPipe::kFma), 1, 0.05);
  EXPECT_NEAR(run.issue, 0.5, 0.05);
}

// Two units that take turns in one warp's code work at the same time for several warps: 32 cycles each, not 64.
TEST(Multiprocessor, UnitsOverlap) {
  std::vector<SassInstruction> loop = repeated("FFMA", 16);
  const auto other = repeated("LOP3.LUT", 16);
  loop.insert(loop.end(), other.begin(), other.end());
  loop.push_back(branch());
  EXPECT_NEAR(runLoop(loop, 4, 4).cycles, 33, 5);
}

// 512 bytes take 8 cycles of the one path, whichever sub-partition they come from.
TEST(Multiprocessor, ThePathIsShared) {
  std::vector<SassInstruction> loop = repeated("LDS.U.128", 8);
  loop.push_back(branch());
  const LoopRun run = runLoop(loop, 2, 4);
  EXPECT_NEAR(run.cycles, 8 * 8 * 4, 4);
  EXPECT_NEAR(busyOf(run, SassPipe::kPath), 1, 0.05);
  Multiprocessor wide;
  wide.pathBytes = 128;
  EXPECT_NEAR(runLoop(loop, 2, 4, 1, wide).cycles, 8 * 4 * 4, 4);
}

// What waits for a load waits for all of its latency; other blocks have the multiprocessor meanwhile.
TEST(Multiprocessor, AScoreboardHoldsAWarp) {
  std::vector<SassInstruction> loop = repeated("LDG.E.SYS", 1, {.stall = 1, .writeBarrier = 0});
  loop.push_back({0, "FFMA", {.stall = 1, .waits = 1}});
  loop.push_back(branch());
  Multiprocessor machine;
  machine.memoryShare = 0;
  const double alone = runLoop(loop, 1, 4, 1, machine).cycles;
  EXPECT_NEAR(alone, machine.l2Latency + 20, 20);
  EXPECT_NEAR(runLoop(loop, 4, 4, 1, machine).cycles, alone / 4, 10);
  machine.memoryShare = 1;
  EXPECT_NEAR(runLoop(loop, 1, 4, 1, machine).cycles - alone, machine.memoryLatency - machine.l2Latency, 5);
}

// Stalls of the control codes hold, and a block meets at its barrier: 22 cycles and 2 for each further warp.
TEST(Multiprocessor, StallsAndBarriers) {
  std::vector<SassInstruction> loop = repeated("LOP3.LUT", 10, {.stall = 6});
  loop.push_back(branch());
  EXPECT_NEAR(runLoop(loop, 1, 4).cycles, 10 * 6 + 8, 2);
  loop.insert(loop.begin(), SassInstruction{0, "BAR.SYNC", {}});
  EXPECT_NEAR(runLoop(loop, 1, 4).cycles, 10 * 6 + 8 + 22 + 2 * 3, 4);
}

TEST(Multiprocessor, TheSameSeedIsTheSameRun) {
  std::vector<SassInstruction> loop = repeated("LDG.E.128.SYS", 4, {.stall = 1, .writeBarrier = 0});
  loop.push_back({0, "FFMA", {.stall = 4, .waits = 1}});
  loop.push_back(branch());
  EXPECT_EQ(runLoop(loop, 2, 4, 3).cycles, runLoop(loop, 2, 4, 3).cycles);
  EXPECT_NE(runLoop(loop, 2, 4, 3).cycles, runLoop(loop, 2, 4, 4).cycles);
}

} // namespace
} // namespace llcuda::codegen
