// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <variant>

#include "compiler/pipeline/compile.h"
#include "runtime/exec/device.h"

namespace llcuda::tune {

struct Options {
  pipeline::CompileOptions compile; ///< its output is set for each engine
  std::string output;               ///< the table
  DeviceChoice device = DeviceChoice::kCuda;
  int deviceIndex = 0;
  uint32_t multiprocessors = 0; ///< to measure on; 0: all
  size_t candidates = SIZE_MAX; ///< that a launch is measured with in each step, at most
  double minGain = 2;           ///< per cent
};

/// What the command line asks for, or the exit code when there is nothing to do; what to say has been said.
std::variant<Options, int> parseOptions(int argc, char** argv);

} // namespace llcuda::tune
