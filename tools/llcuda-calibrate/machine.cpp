// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-calibrate/machine.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <utility>

#include "codegen/reference/machine.h"
#include "codegen/spec/machine_spec.h"
#include "tools/llcuda-calibrate/machine_device.h"

namespace llcuda::calibrate {
namespace {

using codegen::KernelSpec;
using cuda::CUdeviceptr;
using cuda::DeviceMemory;

constexpr uint32_t kChains = 8; ///< that keep a unit busy

/// How much of everything: on the host just so much that each value is made.
struct Amounts {
  uint32_t turns, latencyTurns, chainSteps, residentTurns, emptyLaunches, memoryTimes, l2Times, repeats;
  uint64_t memoryBytes, chainBytes;
};
constexpr Amounts kOnGpu = {1024, 4096, 4096, 20'000, 1000, 4, 200, 5, uint64_t{512} << 20, uint64_t{256} << 20};
constexpr Amounts kOnHost = {2, 2, 64, 8, 4, 1, 2, 1, 1 << 20, 1 << 20};

Error wrongValue(const KernelSpec& spec, std::size_t thread, uint32_t found, uint32_t expected) {
  return internalError(spec.name, ": thread ", thread, " gave ", found, " instead of ", expected,
                       "; the device computes wrongly, and its times mean nothing");
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// A single cycle through `nodes` words that lie `spacing` words apart, from each to a far one.
std::vector<uint32_t> chainOf(std::size_t nodes, std::size_t spacing) {
  std::vector<uint32_t> order(nodes);
  std::iota(order.begin(), order.end(), 0);
  std::mt19937 random(1);
  for (std::size_t i = nodes - 1; i > 0; --i) std::swap(order[i], order[random() % i]);
  std::vector<uint32_t> next(nodes * spacing);
  for (std::size_t i = 0; i < nodes; ++i)
    next[order[i] * spacing] = static_cast<uint32_t>(order[(i + 1) % nodes] * spacing);
  return next;
}

class Measurement {
public:
  Measurement(const MachineDevice& device, Machine& machine)
      : device(device), machine(machine), amounts(device.onHost() ? kOnHost : kOnGpu),
        multiprocessors(device.onHost() ? 2 : device.info().multiprocessors) {}

  Result<void> run() {
    LLCUDA_RETURN_IF_ERROR(memory(machine.fresh));
    LLCUDA_RETURN_IF_ERROR(l2());
    for (int unit = 0; unit < kMachineUnits; ++unit) {
      LLCUDA_ASSIGN_OR_RETURN(const double cycles, unitCycles(static_cast<MachineUnit>(unit), kChains,
                                                              codegen::kUnitThreads, multiprocessors, amounts.turns));
      const double both = static_cast<MachineUnit>(unit) == MachineUnit::kAlu ? 2 : 1; // instructions of a step
      machine.rates[static_cast<std::size_t>(unit)] =
          cycles == 0 ? 0 : both * instructions(kChains, amounts.turns) * (codegen::kUnitThreads / 32.) / cycles;
    }
    LLCUDA_RETURN_IF_ERROR(latencies());
    LLCUDA_RETURN_IF_ERROR(launches());
    for (const auto& [percent, resident] :
         {std::pair(-1, &machine.residentByDefault), std::pair(100, &machine.residentWhenAsked)}) {
      LLCUDA_ASSIGN_OR_RETURN(*resident, residence(percent));
    }
    LLCUDA_RETURN_IF_ERROR(work());
    return memory(machine.afterWork);
  }

private:
  static double instructions(uint32_t chains, uint32_t turns) { return double{kMachineSteps} * chains * turns; }

  /// Of a block, the mean of all; the median of some runs. 0 on the host.
  Result<double> unitCycles(MachineUnit unit, uint32_t chains, uint32_t threads, uint32_t blocks, uint32_t turns) {
    const KernelSpec spec = codegen::unitRateKernel(unit, chains, threads);
    // All lines of a load in the L1 cache, or all of a block's shared memory: each kernel gets what it lives from.
    LLCUDA_RETURN_IF_ERROR(device.setCarveout(spec, unit == MachineUnit::kL1 ? 0 : 100));
    std::vector<uint32_t> words(kMachineWords);
    for (uint32_t w = 0; w < words.size(); ++w) words[w] = w * kMachineFactor;
    constexpr uint32_t kNumbers[4] = {0x3f800000, 0xffffffff, 0xbc00bc00, 0};
    LLCUDA_ASSIGN_OR_RETURN(const auto turnsMemory, device.upload<uint32_t>(std::span(&turns, 1)));
    LLCUDA_ASSIGN_OR_RETURN(const auto numbers, device.upload<uint32_t>(kNumbers));
    LLCUDA_ASSIGN_OR_RETURN(const auto data, device.upload<uint32_t>(words));
    LLCUDA_ASSIGN_OR_RETURN(const auto results, bytes(uint64_t{blocks} * threads * 4));
    LLCUDA_ASSIGN_OR_RETURN(const auto cycles, bytes(uint64_t{blocks} * 8));
    const CUdeviceptr arguments[] = {turnsMemory.address(), numbers.address(), data.address(), results.address(),
                                     cycles.address()};
    std::vector<double> means;
    for (uint32_t i = 0; i < amounts.repeats + 1; ++i) {
      LLCUDA_RETURN_IF_ERROR(device.launch(spec, blocks, arguments));
      LLCUDA_ASSIGN_OR_RETURN(const auto taken, device.download<uint64_t>(cycles, blocks));
      means.push_back(static_cast<double>(std::accumulate(taken.begin(), taken.end(), uint64_t{0})) / blocks);
    }
    LLCUDA_ASSIGN_OR_RETURN(const auto found, device.download<uint32_t>(results, std::size_t{blocks} * threads));
    std::array<uint32_t, 32> expected;
    for (uint32_t lane = 0; lane < 32; ++lane) expected[lane] = reference::unitResult(unit, chains, turns, lane);
    for (std::size_t i = 0; i < found.size(); ++i)
      if (found[i] != expected[i % 32])
        return wrongValue(spec, i, found[i], expected[i % 32]);
    return median({means.begin() + 1, means.end()}); // the first one is not: its code was not in the caches
  }

  /// Reads `vectors` pieces of 16 bytes `times` times; the clock, and nanoseconds.
  struct Read {
    double nanoseconds = 0, cycles = 0;
    uint64_t bytes = 0;
  };
  Result<Read> read(uint64_t wanted, uint32_t times) {
    const KernelSpec spec = codegen::memoryReadKernel();
    const uint32_t blocks = multiprocessors * (1024 / codegen::kReadThreads); // as many as a T4 holds at a time
    const uint64_t step = uint64_t{4} * blocks * codegen::kReadThreads;
    const uint64_t vectors = std::max<uint64_t>(wanted / 16 / step, 1) * step;
    std::vector<uint32_t> words(vectors * 4);
    uint32_t sum = 0;
    for (std::size_t w = 0; w < words.size(); ++w) sum += words[w] = static_cast<uint32_t>(w) * kMachineFactor;
    const uint32_t sizes[2] = {static_cast<uint32_t>(vectors), times};
    LLCUDA_ASSIGN_OR_RETURN(const auto sizesMemory, device.upload<uint32_t>(sizes));
    LLCUDA_ASSIGN_OR_RETURN(const auto data, device.upload<uint32_t>(words));
    LLCUDA_ASSIGN_OR_RETURN(const auto results, bytes(uint64_t{blocks} * codegen::kReadThreads * 4));
    LLCUDA_ASSIGN_OR_RETURN(const auto cycles, bytes(uint64_t{blocks} * 8));
    const CUdeviceptr arguments[] = {sizesMemory.address(), data.address(), results.address(), cycles.address()};
    std::vector<Read> reads;
    for (uint32_t i = 0; i < amounts.repeats; ++i) {
      LLCUDA_ASSIGN_OR_RETURN(const double nanoseconds, device.time(spec, blocks, arguments, 1));
      LLCUDA_ASSIGN_OR_RETURN(const auto taken, device.download<uint64_t>(cycles, blocks));
      reads.push_back({nanoseconds, static_cast<double>(std::ranges::max(taken)), vectors * 16 * times});
    }
    LLCUDA_ASSIGN_OR_RETURN(const auto found,
                            device.download<uint32_t>(results, std::size_t{blocks} * codegen::kReadThreads));
    const uint32_t all = std::accumulate(found.begin(), found.end(), uint32_t{0});
    if (all != sum * times)
      return wrongValue(spec, 0, all, sum * times);
    std::ranges::sort(reads, {}, &Read::nanoseconds);
    return reads[reads.size() / 2];
  }

  Result<void> memory(MemoryRead& to) {
    LLCUDA_ASSIGN_OR_RETURN(const cuda::MemoryInfo info, device.cudaContext()->memoryInfo());
    LLCUDA_ASSIGN_OR_RETURN(const Read done,
                            read(std::min(amounts.memoryBytes, info.freeBytes / 4), amounts.memoryTimes));
    if (!device.onHost())
      to = {static_cast<double>(done.bytes) / done.nanoseconds * 1e9, done.cycles / done.nanoseconds * 1e3};
    return {};
  }

  Result<void> l2() {
    LLCUDA_ASSIGN_OR_RETURN(const Read done, read(1, amounts.l2Times)); // the least, which L2 holds
    machine.l2BytesPerClock = done.cycles == 0 ? 0 : static_cast<double>(done.bytes) / done.cycles;
    return {};
  }

  /// Cycles of a load; 0 on the host.
  Result<double> loadCycles(MachineLevel level, const std::vector<uint32_t>& chain) {
    const KernelSpec spec = codegen::loadLatencyKernel(level);
    const uint32_t steps = amounts.chainSteps;
    LLCUDA_ASSIGN_OR_RETURN(const auto stepsMemory, device.upload<uint32_t>(std::span(&steps, 1)));
    LLCUDA_ASSIGN_OR_RETURN(const auto next, device.upload<uint32_t>(chain));
    LLCUDA_ASSIGN_OR_RETURN(const auto results, bytes(32 * 4));
    LLCUDA_ASSIGN_OR_RETURN(const auto cycles, bytes(8));
    const CUdeviceptr arguments[] = {stepsMemory.address(), next.address(), results.address(), cycles.address()};
    std::vector<double> taken;
    for (uint32_t i = 0; i < amounts.repeats + 1; ++i) {
      LLCUDA_RETURN_IF_ERROR(device.launch(spec, 1, arguments));
      LLCUDA_ASSIGN_OR_RETURN(const auto cycle, device.download<uint64_t>(cycles, 1));
      taken.push_back(static_cast<double>(cycle[0]) / steps);
    }
    LLCUDA_ASSIGN_OR_RETURN(const auto found, device.download<uint32_t>(results, 32));
    const uint32_t expected = reference::chainEnd(chain, steps);
    for (std::size_t lane = 0; lane < found.size(); ++lane)
      if (found[lane] != expected)
        return wrongValue(spec, lane, found[lane], expected);
    // The first run brings what fits into the L2 cache there; of what does not each run reads the same again, far
    // apart.
    return level == MachineLevel::kL2 && chain.size() * 4 > device.info().l2Bytes
               ? taken.front()
               : median({taken.begin() + 1, taken.end()});
  }

  Result<void> latencies() {
    LLCUDA_ASSIGN_OR_RETURN(machine.sharedLatency, loadCycles(MachineLevel::kShared, chainOf(kSharedChainWords, 1)));
    LLCUDA_ASSIGN_OR_RETURN(machine.l2Latency, loadCycles(MachineLevel::kL2, chainOf(amounts.chainSteps, 8)));
    LLCUDA_ASSIGN_OR_RETURN(machine.memoryLatency,
                            loadCycles(MachineLevel::kL2, chainOf(amounts.chainBytes / 256, 64)));
    for (const auto& [unit, latency] : {std::pair(MachineUnit::kTensorInt8, &machine.tensorLatency),
                                        std::pair(MachineUnit::kSpecial, &machine.specialLatency)}) {
      LLCUDA_ASSIGN_OR_RETURN(const double cycles, unitCycles(unit, 1, 32, 1, amounts.latencyTurns));
      *latency = cycles / instructions(1, amounts.latencyTurns);
    }
    return {};
  }

  /// A graph of so many empty launches, and the least nanoseconds that it takes.
  Result<double> graphTime(uint32_t count) {
    const KernelSpec spec = codegen::emptyKernel();
    const CUdeviceptr nothing[] = {0};
    LLCUDA_ASSIGN_OR_RETURN(const cuda::Stream capturing, cuda::Stream::create(device.cudaContext()));
    LLCUDA_ASSIGN_OR_RETURN(const cuda::Event start, cuda::Event::createTimed(device.cudaContext()));
    LLCUDA_ASSIGN_OR_RETURN(const cuda::Event stop, cuda::Event::createTimed(device.cudaContext()));
    LLCUDA_RETURN_IF_ERROR(capturing.beginCapture());
    Result<void> captured;
    for (uint32_t i = 0; i < count && captured; ++i) captured = device.launchOn(capturing, spec, 1, nothing);
    auto ended = capturing.endCapture();
    LLCUDA_RETURN_IF_ERROR(std::move(captured));
    LLCUDA_ASSIGN_OR_RETURN(const cuda::Graph graph, std::move(ended));
    LLCUDA_ASSIGN_OR_RETURN(const std::size_t nodes, graph.kernelNodes());
    if (nodes != count)
      return internalError("a graph of ", count, " launches has ", nodes, " nodes");
    LLCUDA_ASSIGN_OR_RETURN(const cuda::ExecutableGraph executable, graph.instantiate());
    double least = 0;
    for (uint32_t i = 0; i < amounts.repeats + 1; ++i) {
      LLCUDA_RETURN_IF_ERROR(capturing.record(start));
      LLCUDA_RETURN_IF_ERROR(capturing.launch(executable));
      LLCUDA_RETURN_IF_ERROR(capturing.record(stop));
      LLCUDA_RETURN_IF_ERROR(stop.synchronize());
      LLCUDA_ASSIGN_OR_RETURN(const double nanoseconds, cuda::nanosecondsBetween(start, stop));
      least = i == 0 ? nanoseconds : std::min(least, nanoseconds);
    }
    return least;
  }

  Result<void> launches() {
    LLCUDA_ASSIGN_OR_RETURN(const double some, graphTime(amounts.emptyLaunches));
    LLCUDA_ASSIGN_OR_RETURN(const double twice, graphTime(2 * amounts.emptyLaunches));
    if (!device.onHost())
      machine.launchMicroseconds = (twice - some) / 1e3 / amounts.emptyLaunches;
    return {};
  }

  /// The most blocks that one multiprocessor ran at a time; 0 on the host.
  Result<uint32_t> residence(int percent) {
    const KernelSpec spec = codegen::residenceKernel();
    LLCUDA_RETURN_IF_ERROR(device.setCarveout(spec, percent));
    const uint32_t blocks = multiprocessors * 12, threads = codegen::kResidentThreads, turns = amounts.residentTurns;
    LLCUDA_ASSIGN_OR_RETURN(const auto turnsMemory, device.upload<uint32_t>(std::span(&turns, 1)));
    LLCUDA_ASSIGN_OR_RETURN(const auto results, bytes(uint64_t{blocks} * threads * 4));
    LLCUDA_ASSIGN_OR_RETURN(const auto places, bytes(uint64_t{blocks} * 24));
    const CUdeviceptr arguments[] = {turnsMemory.address(), results.address(), places.address()};
    LLCUDA_RETURN_IF_ERROR(device.launch(spec, blocks, arguments));
    LLCUDA_ASSIGN_OR_RETURN(const auto found, device.download<uint32_t>(results, std::size_t{blocks} * threads));
    std::vector<uint32_t> expected(threads);
    for (uint32_t thread = 0; thread < threads; ++thread)
      expected[thread] = reference::residenceResult(turns, thread, threads);
    for (std::size_t i = 0; i < found.size(); ++i)
      if (found[i] != expected[i % threads])
        return wrongValue(spec, i, found[i], expected[i % threads]);
    LLCUDA_ASSIGN_OR_RETURN(const auto seen, device.download<uint64_t>(places, std::size_t{blocks} * 3));
    uint32_t most = 0;
    for (std::size_t a = 0; a < blocks && !device.onHost(); ++a) {
      uint32_t together = 0; // blocks that run on the same multiprocessor when this one begins
      for (std::size_t b = 0; b < blocks; ++b)
        together +=
            seen[3 * b] == seen[3 * a] && seen[3 * b + 1] <= seen[3 * a + 1] && seen[3 * a + 1] < seen[3 * b + 2];
      most = std::max(most, together);
    }
    return most;
  }

  /// Tensor cores at work for a second, which is what lowers a clock.
  Result<void> work() {
    using Clock = std::chrono::steady_clock;
    for (const auto end = Clock::now() + std::chrono::seconds(device.onHost() ? 0 : 1); Clock::now() < end;)
      LLCUDA_RETURN_IF_ERROR(
          unitCycles(MachineUnit::kTensorInt8, kChains, codegen::kUnitThreads, multiprocessors, 8 * amounts.turns));
    return {};
  }

  Result<DeviceMemory> bytes(uint64_t count) const {
    return DeviceMemory::allocate(device.cudaContext(), count, "a measurement");
  }

  const MachineDevice& device;
  Machine& machine;
  const Amounts& amounts;
  uint32_t multiprocessors;
};

std::vector<KernelSpec> allKernels() {
  std::vector<KernelSpec> specs;
  for (int unit = 0; unit < kMachineUnits; ++unit)
    specs.push_back(codegen::unitRateKernel(static_cast<MachineUnit>(unit), kChains, codegen::kUnitThreads));
  for (const MachineUnit unit : {MachineUnit::kTensorInt8, MachineUnit::kSpecial})
    specs.push_back(codegen::unitRateKernel(unit, 1, 32));
  specs.insert(specs.end(),
               {codegen::memoryReadKernel(), codegen::loadLatencyKernel(MachineLevel::kShared),
                codegen::loadLatencyKernel(MachineLevel::kL2), codegen::residenceKernel(), codegen::emptyKernel()});
  return specs;
}

} // namespace

Result<Machine> measureMachine(const CalibrateRequest& request) {
  const std::vector<KernelSpec> specs = allKernels();
  LLCUDA_ASSIGN_OR_RETURN(const auto device, MachineDevice::open(request, specs));
  Machine machine;
  machine.device = device->info();
  machine.driverVersion = device->driverVersion();
  machine.timed = !device->onHost();
  LLCUDA_RETURN_IF_ERROR(Measurement(*device, machine).run());
  return machine;
}

} // namespace llcuda::calibrate
