// SPDX-License-Identifier: Apache-2.0
#include "codegen/sass/launch_model.h"

#include <algorithm>

#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

/// What a kernel advances by: the fastest products that it has, in its loops or, where the inputs of a warp are few,
/// outside of them.
SassProduct productOf(const SassListing& listing) {
  const SassCost sum = costOf(listing, 0, listing.instructions.size());
  const auto first = std::ranges::find_if(sum.multiplyAdds, [](double count) { return count > 0; });
  return static_cast<SassProduct>(std::min<size_t>(first - sum.multiplyAdds.begin(), kSassProducts - 1));
}

SassCost outsideOfLoops(const SassListing& listing) {
  SassCost straight;
  size_t next = 0;
  for (const SassLoop& loop : listing.loops) {
    straight += costOf(listing, next, loop.first);
    next = loop.last + 1;
  }
  straight += costOf(listing, next, listing.instructions.size());
  return straight;
}

} // namespace

std::vector<double> turnsOfLoops(const SassListing& listing, const LaunchDemand& demand) {
  const bool byMultiplyAdds = demand.multiplyAdds > 0;
  const auto product = static_cast<size_t>(productOf(listing));
  const auto progressOf = [&](const SassCost& cost) {
    return byMultiplyAdds ? cost.multiplyAdds[product] : cost.globalLoadBytes;
  };
  const double warps = static_cast<double>(demand.blocks) * divideUp(demand.threads, 32);
  double wanted = (byMultiplyAdds ? demand.multiplyAdds : demand.bytes) / warps - progressOf(outsideOfLoops(listing));
  wanted = std::max(wanted, 0.);
  std::vector<double> progress;
  double working = 0; // loops that make progress: variants of one loop for several encodings, each taken by some blocks
  for (const SassLoop& loop : listing.loops) {
    progress.push_back(progressOf(costOf(listing, loop.first, loop.last + 1)));
    working += progress.back() > 0;
  }
  for (double& of : progress) of = of > 0 ? wanted / working / of : 1;
  return progress;
}

SassCost costOfLaunch(const SassListing& listing, const LaunchDemand& demand) {
  SassCost total = outsideOfLoops(listing);
  const std::vector<double> turns = turnsOfLoops(listing, demand);
  for (size_t i = 0; i < turns.size(); ++i)
    total += costOf(listing, listing.loops[i].first, listing.loops[i].last + 1) * turns[i];
  return total;
}

double LaunchTime::total() const {
  return std::max({memory, l2, issue, pipe, loops}) + fixed;
}

std::string_view LaunchTime::bound() const {
  const double most = std::max({memory, l2, issue, pipe, loops});
  if (fixed > most)
    return "launch";
  if (most == loops)
    return "stalls";
  return most == memory ? "memory" : most == l2 ? "L2" : most == issue ? "issue" : sassPipeName(busiest);
}

namespace {

/// Cycles of units as `units` has them. Of the tensor cores' those of IMMA and HMMA are known by their products, 1,024
/// of an instruction; f16x2 arithmetic stays as it is.
std::array<double, kSassPipes> scaled(const SassCost& cost, const T4Units& units) {
  std::array<double, kSassPipes> cycles = cost.cycles;
  const auto scale = [&](SassPipe pipe, double factor) { cycles[static_cast<size_t>(pipe)] *= factor; };
  scale(SassPipe::kFma, units.fma);
  scale(SassPipe::kAlu, units.alu);
  scale(SassPipe::kSpecial, units.special);
  scale(SassPipe::kPath, units.path);
  const auto products = [&](SassProduct product) { return cost.multiplyAdds[static_cast<size_t>(product)]; };
  constexpr double kOfImma = 4. / 1024, kOfHmma = 8. / 1024; // cycles of a product
  cycles[static_cast<size_t>(SassPipe::kTensor)] +=
      products(SassProduct::kTensorInt8) * kOfImma * (units.tensorInt8 - 1) +
      products(SassProduct::kTensorF16) * kOfHmma * (units.tensorF16 - 1);
  return cycles;
}

} // namespace

LaunchTime timeOnT4(const SassCost& cost, const LaunchDemand& demand, const T4Clock& clock) {
  LaunchTime time;
  time.fixed = clock.launchMicroseconds;
  time.memory = demand.bytes / clock.memoryBytesPerSecond * 1e6;
  time.l2 = demand.l2Bytes / clock.l2BytesPerCycle / clock.megahertz;
  const uint32_t warps = blocksOfBusiest(demand) * divideUp(demand.threads, 32);
  const double ofSubPartition = divideUp(warps, 4);
  time.issue = cost.instructions * ofSubPartition / clock.megahertz;
  const std::array<double, kSassPipes> cycles = scaled(cost, clock.units);
  for (size_t i = 0; i < kSassPipes; ++i) {
    const auto pipe = static_cast<SassPipe>(i);
    // All warps share one path, whichever sub-partitions they are on.
    const double us = cycles[i] * (pipe == SassPipe::kPath ? warps / 4. : ofSubPartition) / clock.megahertz;
    if (us <= time.pipe)
      continue;
    time.pipe = us;
    time.busiest = pipe;
  }
  return time;
}

uint32_t blocksOfBusiest(const LaunchDemand& demand) {
  return divideUp(demand.blocks, t4::kMultiprocessors);
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
