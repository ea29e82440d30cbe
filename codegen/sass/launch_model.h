// SPDX-License-Identifier: Apache-2.0
// How long a launch takes on a T4, from its machine code and the bytes that it moves: the largest of the time of device
// memory, of the L2 cache, of issue, of each unit of the busiest multiprocessor, and of its loops where they were
// simulated (multiprocessor.h), plus a fixed cost. Without loops nothing waits for anything else, so it is a bound from
// below. A prediction, not a measurement.
#pragma once

#include <string>
#include <vector>

#include "codegen/sass/sass_cost.h"

namespace llcuda::codegen {

/// A launch that is to be predicted.
struct LaunchDemand {
  uint32_t blocks = 1;
  uint32_t threads = 32;   ///< of a block
  double bytes = 0;        ///< that have to come from, or go to, device memory
  double l2Bytes = 0;      ///< that multiprocessors take from, or give to, the L2 cache
  double multiplyAdds = 0; ///< of the whole launch; 0: the loops are counted by their bytes
};

/// How often a warp runs each loop of the listing: as often as the work needs.
std::vector<double> turnsOfLoops(const SassListing& listing, const LaunchDemand& demand);

/// Of a warp: what stands outside loops once, and the loops as often as they turn.
SassCost costOfLaunch(const SassListing& listing, const LaunchDemand& demand);

inline constexpr double kReadStream = 264e9; ///< bytes a second: the best read stream measured on a T4
inline constexpr double kReadShare = 0.92;   ///< what a kernel is taken to get of it

/// How many times the cycles of sass_cost.h a unit takes.
struct T4Units {
  double fma = 1, alu = 1, special = 1, tensorInt8 = 1, tensorF16 = 1, path = 1;
};

/// The machine of codegen/spec/t4.h at a clock.
struct T4Clock {
  double megahertz = 1590;
  double memoryBytesPerSecond = kReadStream * kReadShare;
  double l2BytesPerCycle = 600; ///< of the chip: TU102 592 (connollydavid/tu102, corrected), a T4 800 (Jia et al. 2019)
  double launchMicroseconds = 3; ///< between two nodes of a graph
  T4Units units = {};
};

struct LaunchTime {
  double memory = 0, l2 = 0, issue = 0, pipe = 0; ///< microseconds
  double loops = 0; ///< those of the loops as a multiprocessor runs them, with stalls; 0: not simulated
  SassPipe busiest = SassPipe::kControl;
  double fixed = 0;

  double total() const;
  std::string_view bound() const; ///< "memory", "L2", "issue", a pipe's name, "stalls" or "launch"
};

/// `cost` is of one warp, as costOfLaunch() answers. A multiprocessor runs whole blocks: the busiest has its share of
/// them rounded up, and a sub-partition its share of the warps.
LaunchTime timeOnT4(const SassCost& cost, const LaunchDemand& demand, const T4Clock& clock);

/// Blocks that the busiest multiprocessor runs.
uint32_t blocksOfBusiest(const LaunchDemand& demand);

/// Warps that a multiprocessor of the T4 holds at a time.
uint32_t residentWarps(uint32_t threads, uint32_t registers, uint32_t sharedBytes);

} // namespace llcuda::codegen
