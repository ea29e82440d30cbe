// SPDX-License-Identifier: Apache-2.0
// What a step takes on a T4: each launch by its work and its kernel's machine code. Predicted, not measured.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "codegen/formats/launch_work.h"
#include "codegen/sass/launch_model.h"
#include "codegen/sass/multiprocessor.h"

namespace llcuda::codegen {

/// A kernel with its sm_75 machine code.
struct PredictedCode {
  std::string name;
  uint32_t threads = 32; ///< of a block
  uint32_t registers = 0;
  uint32_t sharedBytes = 0; ///< static and dynamic
  bool spills = false;
  double loadShare = 1; ///< BlockRun::loadShare
  SassListing listing;
};

struct PredictedStep {
  struct Launch {
    uint32_t kernel = 0; ///< of `kernels`
    uint32_t blocks = 1;
    LaunchWork work;
  };
  std::vector<PredictedCode> kernels;
  std::vector<Launch> launches;
  StepRows rows;
};

/// All launches of one kernel in a step.
struct PredictedKernel {
  std::string name;
  uint32_t launches = 0;
  uint32_t registers = 0;
  uint32_t warps = 0;       ///< that a multiprocessor holds
  double bytes = 0;         ///< of all launches
  double multiplyAdds = 0;  ///< of all launches
  double instructions = 0;  ///< of all warps of all launches
  double bytesInFlight = 0; ///< on a multiprocessor: what its warps load in one turn of the loop
  bool spills = false;
  uint64_t longestLoop = 0;      ///< bytes of machine code
  double shortLoads = 0;         ///< loads of 1 or 2 bytes in the longest loop that works
  std::vector<LaunchTime> times; ///< for each clock, of all launches together
};

struct Prediction {
  StepRows rows;
  std::vector<PredictedKernel> kernels;              ///< those that are launched, in the order of their first launches
  std::vector<double> microseconds;                  ///< of the step, for each clock
  std::vector<std::map<std::string, double>> bounds; ///< for each clock: microseconds of the kernels that it binds
};

/// What the model has for a T4, or what was measured on one.
struct T4Machine {
  T4Clock clock = {}; ///< its megahertz are not read
  Multiprocessor multiprocessor = {};
};

/// `megahertz`: clocks of the multiprocessors.
Prediction predictStep(const PredictedStep& step, const std::vector<double>& megahertz, const T4Machine& machine = {});

} // namespace llcuda::codegen
