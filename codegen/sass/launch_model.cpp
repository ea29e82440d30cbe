// SPDX-License-Identifier: Apache-2.0
#include "codegen/sass/launch_model.h"

#include <algorithm>

#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

/// What a loop advances in one turn: multiply-adds of tensor cores, dp4a or f16x2 where it has any, else of FP32.
double multiplyAddsOf(const SassCost& cost) {
  return cost.multiplyAdds > 0 ? cost.multiplyAdds : cost.fp32MultiplyAdds;
}

/// Work of a warp by which turns are counted.
double progressOf(const SassCost& cost, bool byMultiplyAdds) {
  return byMultiplyAdds ? multiplyAddsOf(cost) : cost.globalLoadBytes;
}

} // namespace

SassCost costOfLaunch(const SassListing& listing, const LaunchDemand& demand) {
  SassCost straight;
  size_t next = 0;
  for (const SassLoop& loop : listing.loops) {
    straight += costOf(listing, next, loop.first);
    next = loop.last + 1;
  }
  straight += costOf(listing, next, listing.instructions.size());

  const bool byMultiplyAdds = demand.multiplyAdds > 0;
  const double warps = static_cast<double>(demand.blocks) * divideUp(demand.threads, 32);
  double wanted = (byMultiplyAdds ? demand.multiplyAdds : demand.bytes) / warps - progressOf(straight, byMultiplyAdds);
  wanted = std::max(wanted, 0.);
  double working = 0; // loops that make progress: variants of one loop for several encodings, each taken by some blocks
  for (const SassLoop& loop : listing.loops)
    working += progressOf(costOf(listing, loop.first, loop.last + 1), byMultiplyAdds) > 0;
  SassCost total = straight;
  for (const SassLoop& loop : listing.loops) {
    const SassCost turn = costOf(listing, loop.first, loop.last + 1);
    const double progress = progressOf(turn, byMultiplyAdds);
    total += turn * (progress > 0 ? wanted / working / progress : 1);
  }
  return total;
}

double LaunchTime::total() const {
  return std::max({memory, l2, issue, pipe}) + fixed;
}

std::string_view LaunchTime::bound() const {
  const double most = std::max({memory, l2, issue, pipe});
  if (fixed > most)
    return "launch";
  return most == memory ? "memory" : most == l2 ? "L2" : most == issue ? "issue" : sassPipeName(busiest);
}

LaunchTime timeOnT4(const SassCost& cost, const LaunchDemand& demand, const T4Clock& clock) {
  LaunchTime time;
  time.fixed = clock.launchMicroseconds;
  time.memory = demand.bytes / clock.memoryBytesPerSecond * 1e6;
  time.l2 = demand.l2Bytes / clock.l2BytesPerCycle / clock.megahertz;
  const uint32_t warps = divideUp(demand.blocks, t4::kMultiprocessors) * divideUp(demand.threads, 32);
  const double ofSubPartition = divideUp(warps, 4);
  time.issue = cost.instructions * ofSubPartition / clock.megahertz;
  for (size_t i = 0; i < kSassPipes; ++i) {
    const auto pipe = static_cast<SassPipe>(i);
    // All warps share one path, whichever sub-partitions they are on.
    const double us = cost.cycles[i] * (pipe == SassPipe::kPath ? warps / 4. : ofSubPartition) / clock.megahertz;
    if (us <= time.pipe)
      continue;
    time.pipe = us;
    time.busiest = pipe;
  }
  return time;
}

uint32_t residentWarps(uint32_t threads, uint32_t registers, uint32_t sharedBytes) {
  const uint32_t warps = divideUp(threads, 32);
  const uint32_t warpRegisters = divideUp(std::max(registers, 1u) * 32, 256) * 256; // allocated in steps of 256
  const uint32_t byRegisters = t4::kRegistersPerMultiprocessor / (warpRegisters * warps);
  const uint32_t byThreads = t4::kThreadsPerMultiprocessor / (warps * 32);
  const uint32_t byShared = sharedBytes == 0 ? 16 : t4::kSharedBytesPerMultiprocessor / sharedBytes;
  return std::min({byRegisters, byThreads, byShared, 16u}) * warps;
}

} // namespace llcuda::codegen
