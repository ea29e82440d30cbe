// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "codegen/spec/machine_spec.h"
#include "tools/llcuda-calibrate/machine.h"

namespace llcuda::calibrate {
namespace {

using nlohmann::ordered_json;

/// null where nothing was timed.
ordered_json orNull(double value) {
  return value == 0 ? ordered_json(nullptr) : ordered_json(value);
}

ordered_json memoryJson(const MemoryRead& read) {
  return {{"bytes_per_second", orNull(read.bytesPerSecond)}, {"megahertz", orNull(read.megahertz)}};
}

} // namespace

std::string machineJson(const Machine& machine) {
  ordered_json rates;
  for (std::size_t unit = 0; unit < kMachineUnits; ++unit)
    rates[codegen::kMachineUnitNames[unit]] = orNull(machine.rates[unit]);
  const ordered_json object = {
      {codegen::kMachineKey, codegen::kMachineVersion},
      {"device",
       {{"name", machine.device.name},
        {"compute_capability", {machine.device.major, machine.device.minor}},
        {"multiprocessors", machine.device.multiprocessors},
        {"l2_bytes", machine.device.l2Bytes},
        {"driver", machine.driverVersion}}},
      {"timed", machine.timed},
      {"warp_instructions_per_clock", std::move(rates)},
      {"l2_bytes_per_clock", orNull(machine.l2BytesPerClock)},
      {"memory", memoryJson(machine.fresh)},
      {"memory_after_work", memoryJson(machine.afterWork)},
      {"latency_cycles",
       {{"shared", orNull(machine.sharedLatency)},
        {"l2", orNull(machine.l2Latency)},
        {"memory", orNull(machine.memoryLatency)},
        {"imma", orNull(machine.tensorLatency)},
        {"mufu", orNull(machine.specialLatency)}}},
      {"launch_microseconds", orNull(machine.launchMicroseconds)},
      {"resident_blocks", {{"by_default", machine.residentByDefault}, {"when_asked", machine.residentWhenAsked}}}};
  return object.dump(1) + "\n";
}

} // namespace llcuda::calibrate
