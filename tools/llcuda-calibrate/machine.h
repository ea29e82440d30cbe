// SPDX-License-Identifier: Apache-2.0
// A GPU as the model of a T4 needs to know it (codegen/sass, docs/t4.md): rates, widths, latencies, clocks.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "codegen/kernels/machine/machine_units.h"
#include "codegen/nvrtc/nvrtc_library.h"
#include "runtime/base/result.h"
#include "runtime/cuda/context.h"

namespace llcuda::calibrate {

struct CalibrateRequest {
  bool onHost = false; ///< to try the kernels: their values alone count, nothing is timed
  int deviceIndex = 0;
  codegen::NvrtcSearch nvrtc;
  std::string hostCompiler; ///< with onHost
};

/// A read of device memory, and the clock of the multiprocessors meanwhile.
struct MemoryRead {
  double bytesPerSecond = 0;
  double megahertz = 0;
};

/// What could not be timed is 0. All values that kernels gave were right, else there is an error instead.
struct Machine {
  cuda::DeviceInfo device;
  int driverVersion = 0;
  bool timed = false;
  std::array<double, kMachineUnits> rates{}; ///< warp instructions a clock of one multiprocessor
  double l2BytesPerClock = 0;                ///< of the chip
  MemoryRead fresh, afterWork;               ///< at the beginning, and when tensor cores have worked for a second
  double sharedLatency = 0, l2Latency = 0, memoryLatency = 0, tensorLatency = 0, specialLatency = 0; ///< cycles
  double launchMicroseconds = 0; ///< from one empty launch of a graph to the next
  /// Blocks of 32 KiB that a multiprocessor holds at a time: by the driver's choice, and when a kernel asks for all.
  uint32_t residentByDefault = 0, residentWhenAsked = 0;
};

/// Compiles the kernels of codegen/kernels/machine and runs them. Changes no setting of the GPU. kInternal: a kernel
/// gave another value than codegen/reference/machine.h, or the driver failed.
Result<Machine> measureMachine(const CalibrateRequest& request);

/// One JSON object, which llcuda-inspect --predict t4 --calibration reads.
std::string machineJson(const Machine& machine);

} // namespace llcuda::calibrate
