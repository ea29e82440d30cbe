// SPDX-License-Identifier: Apache-2.0
// A multiprocessor of SM 7.5 that runs a loop, cycle by cycle: what a launch takes beyond the busiest of its units.
//
// Warps issue in the order of the machine code, held by its control codes: stall counts and the six scoreboards that
// loads and slow units set and that later instructions wait for. Each sub-partition issues one instruction a cycle, of
// the warp that issued last if it can, to units that are busy as sass_cost.h says. Loads, stores and shuffles wait in a
// queue of their sub-partition for the one path of the multiprocessor; data of global loads takes the path when it
// arrives. What an access takes of the path is its addresses' doing where block_run.h has found them, else its width's.
//
// Left out: register banks, the instruction cache, the bandwidth of L2 and of memory, power.
#pragma once

#include <array>
#include <span>

#include "codegen/sass/sass_cost.h"

namespace llcuda::codegen {

/// Sources: rates as in sass_cost.h; latencies Jia et al. 2019 (arXiv 1903.07486), rounded; a barrier of n warps takes
/// 20 + 2 n cycles (connollydavid/tu102). The share of loads that L2 has not is a guess, as is the depth of a queue.
struct Multiprocessor {
  double pathBytes = 64; ///< a cycle
  uint32_t queue = 10;   ///< instructions of a sub-partition that wait for the path
  uint32_t l2Latency = 300, memoryLatency = 500;
  double memoryShare = 0.3; ///< of global loads
  uint32_t tensorLatency = 14, specialLatency = 15;
  uint32_t branch = 8;
  double fma = 1, tensorInt8 = 1, tensorF16 = 1; ///< cycles of these units, times those of sass_cost.h
  uint32_t sharedLatency = 22;
};

/// A T4's code on a multiprocessor with an H200's path, twice the lanes and its rate of mma for 8-bit and f16 (482
/// TOPS measured for the former).
inline constexpr Multiprocessor kLikeH200 = {.pathBytes = 128,
                                             .l2Latency = 280,
                                             .memoryLatency = 600,
                                             .tensorLatency = 20,
                                             .fma = 0.5,
                                             .tensorInt8 = 1.11,
                                             .tensorF16 = 0.5625,
                                             .sharedLatency = 24};

/// A loop in its steady state.
struct LoopRun {
  double cycles = 0;                     ///< a turn of one block takes, with the others beside it
  double issue = 0;                      ///< share of the issue slots
  std::array<double, kSassPipes> busy{}; ///< shares of the units
};

/// Runs `loop`, which every warp takes alike, in `blocks` blocks of `warps` warps. The same seed gives the same run:
/// which loads go to memory, and where warps begin.
LoopRun runLoop(std::span<const SassInstruction> loop, uint32_t blocks, uint32_t warps, uint32_t seed = 1,
                const Multiprocessor& machine = {});

/// The mean of several seeds.
LoopRun runLoopOften(std::span<const SassInstruction> loop, uint32_t blocks, uint32_t warps,
                     const Multiprocessor& machine = {});

} // namespace llcuda::codegen
