// SPDX-License-Identifier: Apache-2.0
#include "codegen/sass/predictor.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

/// What is true of every launch of a kernel.
PredictedKernel describe(const PredictedCode& code, size_t clocks) {
  PredictedKernel kernel;
  kernel.name = code.name;
  kernel.registers = code.registers;
  kernel.spills = code.spills;
  kernel.warps = residentWarps(code.threads, code.registers, code.sharedBytes);
  kernel.times.resize(clocks);
  double most = 0;
  for (const SassLoop& loop : code.listing.loops) {
    const SassCost turn = costOf(code.listing, loop.first, loop.last + 1);
    kernel.longestLoop = std::max<uint64_t>(kernel.longestLoop, loop.length() * 16);
    if (turn.globalLoadBytes <= most)
      continue;
    most = turn.globalLoadBytes;
    kernel.shortLoads = turn.shortGlobalLoads;
  }
  if (most == 0)
    most = costOf(code.listing, 0, code.listing.instructions.size()).globalLoadBytes;
  kernel.bytesInFlight = most * kernel.warps;
  return kernel;
}

bool byTensorCores(ArithmeticUnit unit) {
  return unit == ArithmeticUnit::kTensorInt8 || unit == ArithmeticUnit::kTensorF16;
}

/// Blocks that work: of sorted choices those whose tile has an expert.
uint32_t workingBlocks(const PredictedStep::Launch& launch, uint32_t rows) {
  const LaunchWork& work = launch.work;
  if (work.tileRows == 0)
    return launch.blocks;
  const double share = expertTiles(work, std::min(rows, work.rows)) /
                       mostExpertTiles(work.rows, work.experts, work.choices, work.tileRows);
  return std::max(1u, static_cast<uint32_t>(std::ceil(launch.blocks * share)));
}

/// How many rows tiles of sorted choices have for each choice.
double tileFill(const LaunchWork& work, uint32_t rows) {
  const uint32_t own = std::min(rows, work.rows);
  return work.tileRows == 0 ? 1 : expertTiles(work, own) * work.tileRows / (uint64_t{own} * work.choices);
}

/// Products by which the loops of a launch are counted. Decode's loops over keys, some for scores and some for values,
/// are counted by their bytes.
double countedProducts(const LaunchWork& work, const StepRows& rows) {
  LaunchWork products = work;
  if (!byTensorCores(work.unit))
    products.keyMultiplyAdds = 0;
  return static_cast<double>(multiplyAddsOf(products, rows));
}

/// How many rows tensor cores multiply for each that a decode step has: fragments are of 8.
double fragmentRows(const PredictedCode& code, const LaunchWork& work, uint32_t rows) {
  const auto isProduct = [](const SassInstruction& instruction) { return instruction.name() == "IMMA"; };
  const bool inFragments =
      work.unit == ArithmeticUnit::kDp4a && rows < 8 && std::ranges::any_of(code.listing.instructions, isProduct);
  return inFragments ? 8. / rows : 1;
}

/// Tiles of tensor cores load what they multiply anew in each block, whose warps find what others of them read in the
/// L1 cache. Elsewhere a multiprocessor reads the rows once,
/// its L1 cache has them then, and the rest comes as often as from memory.
double l2Bytes(const LaunchWork& work, const StepRows& rows, const LaunchDemand& demand, const SassCost& cost,
               double loadShare) {
  const double loaded = cost.globalLoadBytes * loadShare * demand.blocks * divideUp(demand.threads, 32);
  if (byTensorCores(work.unit))
    return std::max(demand.bytes, loaded);
  if (work.rowMultiplyAdds == 0)
    return demand.bytes;
  const double rowBytes = static_cast<double>(work.rowRead) * std::min(rows.rows, work.rows);
  return demand.bytes + rowBytes * std::min(demand.blocks, t4::kMultiprocessors);
}

/// Loops of kernels as a multiprocessor runs them, each once for a number of blocks side by side.
class Loops {
public:
  explicit Loops(const Multiprocessor& machine) : machine(machine) {}

  /// Cycles of the busiest multiprocessor for all turns of all loops of a launch.
  double cycles(uint32_t kernel, const PredictedCode& code, const LaunchDemand& demand) {
    const uint32_t warps = divideUp(code.threads, 32), blocks = blocksOfBusiest(demand);
    const uint32_t resident = residentWarps(code.threads, code.registers, code.sharedBytes) / warps;
    const std::vector<LoopRun>& runs = runsOf(kernel, code, std::clamp(resident, 1u, blocks), warps);
    const std::vector<double> turns = turnsOfLoops(code.listing, demand);
    double sum = 0;
    for (size_t i = 0; i < turns.size(); ++i) sum += turns[i] * runs[i].cycles * blocks;
    return sum;
  }

private:
  const std::vector<LoopRun>& runsOf(uint32_t kernel, const PredictedCode& code, uint32_t blocks, uint32_t warps) {
    const auto [place, isNew] = known.try_emplace({kernel, blocks});
    if (isNew)
      for (const SassLoop& loop : code.listing.loops)
        place->second.push_back(runLoopOften(std::span(code.listing.instructions).subspan(loop.first, loop.length()),
                                             blocks, warps, machine));
    return place->second;
  }

  const Multiprocessor& machine;
  std::map<std::pair<uint32_t, uint32_t>, std::vector<LoopRun>> known; // of a kernel and blocks side by side
};

void addLaunch(const PredictedStep& step, const PredictedStep::Launch& launch, const std::vector<double>& megahertz,
               const T4Clock& machine, Loops& loops, PredictedKernel& sum) {
  const PredictedCode& code = step.kernels[launch.kernel];
  const uint32_t rows = step.rows.rows;
  LaunchDemand demand = {.blocks = workingBlocks(launch, rows),
                         .threads = code.threads,
                         .bytes = static_cast<double>(bytesOf(launch.work, step.rows)),
                         .multiplyAdds = countedProducts(launch.work, step.rows) *
                                         fragmentRows(code, launch.work, rows) * tileFill(launch.work, rows)};
  const SassCost cost = costOfLaunch(code.listing, demand);
  demand.l2Bytes = l2Bytes(launch.work, step.rows, demand, cost, code.loadShare);
  // Decode's loops wait for memory, which the simulation has no limit for.
  const double loopCycles = byTensorCores(launch.work.unit) ? loops.cycles(launch.kernel, code, demand) : 0;
  ++sum.launches;
  sum.bytes += demand.bytes;
  sum.multiplyAdds += static_cast<double>(multiplyAddsOf(launch.work, step.rows));
  sum.instructions += cost.instructions * demand.blocks * divideUp(demand.threads, 32);
  for (size_t i = 0; i < megahertz.size(); ++i) {
    T4Clock clock = machine;
    clock.megahertz = megahertz[i];
    const LaunchTime time = timeOnT4(cost, demand, clock);
    sum.times[i].memory += time.memory;
    sum.times[i].l2 += time.l2;
    sum.times[i].issue += time.issue;
    sum.times[i].pipe += time.pipe;
    sum.times[i].loops += loopCycles / megahertz[i];
    sum.times[i].fixed += time.fixed;
    sum.times[i].busiest = time.busiest;
  }
}

} // namespace

Prediction predictStep(const PredictedStep& step, const std::vector<double>& megahertz, const T4Machine& machine) {
  Prediction prediction;
  prediction.rows = step.rows;
  prediction.microseconds.resize(megahertz.size());
  prediction.bounds.resize(megahertz.size());
  std::map<uint32_t, size_t> places; // in the prediction, of kernels
  Loops loops(machine.multiprocessor);
  for (const PredictedStep::Launch& launch : step.launches) {
    const auto [place, isNew] = places.try_emplace(launch.kernel, prediction.kernels.size());
    if (isNew)
      prediction.kernels.push_back(describe(step.kernels[launch.kernel], megahertz.size()));
    addLaunch(step, launch, megahertz, machine.clock, loops, prediction.kernels[place->second]);
  }
  for (const PredictedKernel& kernel : prediction.kernels)
    for (size_t i = 0; i < megahertz.size(); ++i) {
      const double us = kernel.times[i].total();
      prediction.microseconds[i] += us;
      prediction.bounds[i][std::string(kernel.times[i].bound())] += us;
    }
  return prediction;
}

} // namespace llcuda::codegen
