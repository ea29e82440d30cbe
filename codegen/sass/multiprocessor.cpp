// SPDX-License-Identifier: Apache-2.0
#include "codegen/sass/multiprocessor.h"

#include <algorithm>
#include <deque>
#include <queue>
#include <random>
#include <vector>

namespace llcuda::codegen {
namespace {

constexpr uint32_t kSubPartitions = 4, kScoreboards = 6;
constexpr uint32_t kTurns = 16, kWarmTurns = 4; ///< of a block, and of those the first that do not count
constexpr uint64_t kLongest = 400'000;          ///< cycles, after which a run ends as it is
constexpr uint32_t kOperandsRead = 6;           ///< cycles until a queued instruction has read its registers

/// An instruction as the simulation needs it.
struct Step {
  SassPipe pipe = SassPipe::kControl;
  double cycles = 1;     ///< of its unit
  double pathBytes = 0;  ///< of a warp
  uint32_t latency = 20; ///< from the path to the registers
  bool globalLoad = false, barrier = false, branch = false;
  SassControl control;
};

uint32_t pathLatency(std::string_view name, const Multiprocessor& machine) {
  return name == "LDS" ? machine.sharedLatency : name == "LDSM" ? 28 : name == "LDL" ? 34 : name == "SHFL" ? 25 : 20;
}

double rateOf(SassPipe pipe, std::string_view name, const Multiprocessor& machine) {
  return pipe == SassPipe::kFma ? machine.fma
         : name == "IMMA"       ? machine.tensorInt8
         : name == "HMMA"       ? machine.tensorF16
                                : 1;
}

Step stepOf(const SassInstruction& instruction, const Multiprocessor& machine) {
  const SassCost cost = costOf(instruction);
  const auto busiest = std::ranges::max_element(cost.cycles);
  const std::string_view name = instruction.name();
  Step step;
  // An access that its guard keeps every lane from takes its place in the queue and no more.
  step.pipe = *busiest == 0 ? SassPipe::kPath : static_cast<SassPipe>(busiest - cost.cycles.begin());
  step.cycles = step.pipe == SassPipe::kPath ? 2 : *busiest * rateOf(step.pipe, name, machine);
  step.pathBytes = pathBytesOf(instruction, machine.pathBytes == 128 ? 128 : 64);
  step.latency = pathLatency(name, machine);
  step.globalLoad = name == "LDG";
  step.barrier = name == "BAR";
  step.branch = name == "BRA";
  step.control = instruction.control;
  return step;
}

struct Warp {
  uint32_t block = 0, position = 0, turns = 0;
  uint64_t ready = 0; ///< cycle from which on it may issue
  std::array<uint32_t, kScoreboards> pending{};
  bool atBarrier = false, done = false;
};

/// A scoreboard of a warp that is set free.
struct Release {
  uint64_t cycle;
  uint32_t warp;
  uint8_t scoreboard;

  bool operator>(const Release& other) const { return cycle > other.cycle; }
};

/// Data of a global load on its way.
struct Fill {
  uint64_t cycle;
  uint32_t warp;
  uint8_t scoreboard;
  double bytes;

  bool operator>(const Fill& other) const { return cycle > other.cycle; }
};

template <typename T>
using Earliest = std::priority_queue<T, std::vector<T>, std::greater<>>;

struct SubPartition {
  std::vector<uint32_t> warps;
  std::array<double, kSassPipes> free{}; ///< cycle from which on a unit takes an instruction
  std::deque<std::pair<uint32_t, const Step*>> queue;
  uint32_t last = UINT32_MAX; ///< warp that issued
};

class Simulation {
public:
  Simulation(std::span<const SassInstruction> loop, uint32_t blocks, uint32_t warps, uint32_t seed,
             const Multiprocessor& machine)
      : machine(machine), warpsOfBlock(warps), random(seed), arrived(blocks), turns(blocks) {
    for (const SassInstruction& instruction : loop) steps.push_back(stepOf(instruction, machine));
    for (uint32_t i = 0; i < blocks * warps; ++i) {
      const uint32_t block = i / warps;
      all.push_back(
          {.block = block, .ready = std::uniform_int_distribution<uint64_t>(0, 39)(random) + block * steps.size() * 2});
      parts[i % warps % kSubPartitions].warps.push_back(i);
    }
  }

  LoopRun run() {
    while (cycle < kLongest && std::ranges::none_of(turns, [](const auto& of) { return of.size() >= kTurns; })) {
      release();
      servePath();
      for (SubPartition& part : parts) issue(part);
      ++cycle;
    }
    LoopRun result;
    double rate = 0; // turns of all blocks a cycle
    for (const std::vector<uint64_t>& of : turns)
      if (of.size() > kWarmTurns)
        rate += static_cast<double>(of.size() - kWarmTurns) / static_cast<double>(of.back() - of[kWarmTurns - 1]);
    result.cycles = rate > 0 ? 1 / rate : static_cast<double>(kLongest);
    const double slots = static_cast<double>(cycle) * kSubPartitions;
    result.issue = static_cast<double>(issued) / slots;
    for (size_t i = 0; i < kSassPipes; ++i) result.busy[i] = busy[i] / slots;
    result.busy[static_cast<size_t>(SassPipe::kPath)] = pathBusy / static_cast<double>(cycle);
    return result;
  }

private:
  void release() {
    for (; !releases.empty() && releases.top().cycle <= cycle; releases.pop())
      --all[releases.top().warp].pending[releases.top().scoreboard];
  }

  void releaseAt(double when, uint32_t warp, uint8_t scoreboard) {
    if (scoreboard < kScoreboards)
      releases.push({static_cast<uint64_t>(when), warp, scoreboard});
  }

  /// Data that has arrived first, then the queues of the sub-partitions in turn.
  void servePath() {
    if (pathFree > static_cast<double>(cycle))
      return;
    const auto now = static_cast<double>(cycle);
    if (!fills.empty() && fills.top().cycle <= cycle) {
      const Fill fill = fills.top();
      fills.pop();
      takePath(fill.bytes);
      releaseAt(pathFree + 4, fill.warp, fill.scoreboard);
      return;
    }
    for (uint32_t k = 0; k < kSubPartitions; ++k) {
      SubPartition& part = parts[(nextPart + k) % kSubPartitions];
      if (part.queue.empty())
        continue;
      const auto [warp, step] = part.queue.front();
      part.queue.pop_front();
      nextPart = (nextPart + k) % kSubPartitions + 1;
      if (step->globalLoad) { // the address alone
        pathFree = now + 2;
        const bool far = std::bernoulli_distribution(machine.memoryShare)(random);
        fills.push({cycle + (far ? machine.memoryLatency : machine.l2Latency), warp, step->control.writeBarrier,
                    step->pathBytes});
      } else {
        takePath(step->pathBytes);
        releaseAt(pathFree + step->latency - 2, warp, step->control.writeBarrier);
      }
      releaseAt(now + kOperandsRead, warp, step->control.readBarrier);
      return;
    }
  }

  void takePath(double bytes) {
    const double cycles = bytes / machine.pathBytes;
    pathFree = static_cast<double>(cycle) + cycles;
    pathBusy += cycles;
  }

  bool canIssue(const SubPartition& part, const Warp& warp) const {
    if (warp.done || warp.atBarrier || warp.ready > cycle)
      return false;
    const Step& step = steps[warp.position];
    for (uint32_t i = 0; i < kScoreboards; ++i)
      if ((step.control.waits >> i & 1) != 0 && warp.pending[i] > 0)
        return false;
    if (step.pipe != SassPipe::kControl && part.free[static_cast<size_t>(step.pipe)] > static_cast<double>(cycle))
      return false;
    return step.pipe != SassPipe::kPath || part.queue.size() < machine.queue;
  }

  void issue(SubPartition& part) {
    if (part.last != UINT32_MAX && canIssue(part, all[part.last]))
      return issueFrom(part, part.last);
    for (const uint32_t warp : part.warps)
      if (warp != part.last && canIssue(part, all[warp]))
        return issueFrom(part, warp);
  }

  void issueFrom(SubPartition& part, uint32_t index) {
    Warp& warp = all[index];
    const Step& step = steps[warp.position];
    part.last = index;
    ++issued;
    warp.ready = cycle + std::max<uint32_t>(1, step.control.stall);
    for (const uint8_t scoreboard : {step.control.writeBarrier, step.control.readBarrier})
      if (scoreboard < kScoreboards)
        ++warp.pending[scoreboard];
    const auto now = static_cast<double>(cycle);
    if (step.pipe == SassPipe::kPath) {
      part.free[static_cast<size_t>(step.pipe)] = now + step.cycles;
      part.queue.emplace_back(index, &step);
    } else if (step.barrier) {
      arrive(warp);
    } else if (step.pipe == SassPipe::kControl) {
      releaseAt(now + 20, index, step.control.writeBarrier);
      releaseAt(now + 20, index, step.control.readBarrier);
      if (step.branch)
        warp.ready = cycle + machine.branch;
    } else {
      double& free = part.free[static_cast<size_t>(step.pipe)];
      free = (free > now - 1 ? free : now) + step.cycles; // rates that are no whole cycles hold over several
      busy[static_cast<size_t>(step.pipe)] += step.cycles;
      const uint32_t latency = step.pipe == SassPipe::kTensor ? machine.tensorLatency : machine.specialLatency;
      releaseAt(now + latency, index, step.control.writeBarrier);
      releaseAt(now + 8, index, step.control.readBarrier);
    }
    advance(index, warp);
  }

  void arrive(Warp& warp) {
    warp.atBarrier = true;
    if (++arrived[warp.block] < warpsOfBlock)
      return;
    arrived[warp.block] = 0;
    for (Warp& other : all)
      if (other.block == warp.block) {
        other.atBarrier = false;
        other.ready = cycle + 22 + 2 * (warpsOfBlock - 1);
      }
  }

  void advance(uint32_t index, Warp& warp) {
    if (++warp.position < steps.size())
      return;
    warp.position = 0;
    if (index % warpsOfBlock == 0)
      turns[warp.block].push_back(cycle);
    warp.done = ++warp.turns >= kTurns;
  }

  const Multiprocessor& machine;
  const uint32_t warpsOfBlock;
  std::mt19937 random;
  std::vector<Step> steps;
  std::vector<Warp> all;
  std::array<SubPartition, kSubPartitions> parts;
  std::vector<uint32_t> arrived;            // warps of a block at its barrier
  std::vector<std::vector<uint64_t>> turns; // cycles at which a block's first warp ended its turns
  Earliest<Release> releases;
  Earliest<Fill> fills;
  uint64_t cycle = 0, issued = 0;
  double pathFree = 0, pathBusy = 0;
  uint32_t nextPart = 0;
  std::array<double, kSassPipes> busy{};
};

} // namespace

LoopRun runLoop(std::span<const SassInstruction> loop, uint32_t blocks, uint32_t warps, uint32_t seed,
                const Multiprocessor& machine) {
  return Simulation(loop, blocks, warps, seed, machine).run();
}

LoopRun runLoopOften(std::span<const SassInstruction> loop, uint32_t blocks, uint32_t warps,
                     const Multiprocessor& machine) {
  constexpr uint32_t kSeeds = 5;
  LoopRun mean;
  for (uint32_t seed = 1; seed <= kSeeds; ++seed) {
    const LoopRun run = runLoop(loop, blocks, warps, seed, machine);
    mean.cycles += run.cycles / kSeeds;
    mean.issue += run.issue / kSeeds;
    for (size_t i = 0; i < kSassPipes; ++i) mean.busy[i] += run.busy[i] / kSeeds;
  }
  return mean;
}

} // namespace llcuda::codegen
