// SPDX-License-Identifier: Apache-2.0
// What the kernels of an engine take.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/exec/device.h"
#include "runtime/schema/engine_generated.h"

namespace llcuda::tune {

/// How often phases are run.
struct Workload {
  uint32_t decodeSteps = 32;
  uint32_t promptRuns = 4;
};

struct KernelTime {
  bool feedsBack = true; ///< of its phase
  uint32_t rows = 0;     ///< of the phase
  uint32_t runs = 0;     ///< of the phase
  std::string kernel, op;
  uint64_t launches = 0;   ///< in all runs
  double microseconds = 0; ///< of all launches
};

struct Measurement {
  std::string device;
  std::vector<KernelTime> kernels;
};

/// Runs every phase of the engine with all its rows, once to warm up, then as `workload` says with every launch timed.
Result<Measurement> measure(const std::string& engine, DeviceChoice device, int index, const Workload& workload);

} // namespace llcuda::tune
