// SPDX-License-Identifier: Apache-2.0
// Measures the GPU itself, for the model of a T4: rates of its units, widths of its memories, latencies, launches.
#include <cstdlib>
#include <iostream>

#include "runtime/base/clean_end.h"
#include "runtime/base/output_file.h"
#include "runtime/base/version.h"
#include "runtime/exec/device.h"
#include "tools/llcuda-calibrate/machine.h"
#include "tools/tool-options/command_line.h"

namespace llcuda::calibrate {
namespace {

struct Options {
  std::string output, nvrtc, hostCompiler;
  DeviceChoice device = DeviceChoice::kAuto;
  int deviceIndex = 0;
};

void addFlags(CLI::App& app, Options& options) {
  app.add_option("-o,--output", options.output,
                 "The file to write (.json), for llcuda-inspect --predict t4 --calibration (default: standard output)");
  tools::addDeviceOptions(app, options.device, options.deviceIndex)
      ->description("cuda (auto is the same), or host: the values of the kernels alone, nothing is timed");
  app.add_option("--nvrtc", options.nvrtc, "The NVRTC library, or its folder (default: $LLCUDA_NVRTC, else found)");
  app.add_option("--cxx", options.hostCompiler, "With --device host: the C++ compiler (default: $CXX, else c++)");
  app.set_version_flag("--version", std::string("llcuda-calibrate ") + kVersion);
}

Result<void> calibrate(const Options& options) {
  if (!options.output.empty())
    LLCUDA_RETURN_IF_ERROR(checkOutput(options.output, {}));
  std::string compiler = options.hostCompiler;
  if (const char* given = std::getenv("CXX"); given && compiler.empty())
    compiler = given;
  const CalibrateRequest request = {.onHost = options.device == DeviceChoice::kHost,
                                    .deviceIndex = options.deviceIndex,
                                    .nvrtc = codegen::programSearch(options.nvrtc),
                                    .hostCompiler = compiler.empty() ? "c++" : compiler};
  LLCUDA_ASSIGN_OR_RETURN(const Machine machine, measureMachine(request));
  std::cerr << machine.device.name << ": every kernel gave the right values"
            << (machine.timed ? "\n" : "; nothing was timed\n");
  if (!options.output.empty())
    return writeOutput(options.output, machineJson(machine));
  std::cout << machineJson(machine) << std::flush;
  return std::cout.good() ? Result<void>() : internalError("standard output cannot be written");
}

} // namespace
} // namespace llcuda::calibrate

int main(int argc, char** argv) {
  llcuda::endCleanly("llcuda-calibrate");
  CLI::App app("Measures a GPU for the model of a T4: rates of its units, widths of its memories, latencies, launches; "
               "changes none of its settings",
               "llcuda-calibrate");
  llcuda::calibrate::Options options;
  llcuda::calibrate::addFlags(app, options);
  if (const std::optional<int> code = llcuda::tools::parseCommandLine(app, argc, argv))
    return *code;
  const llcuda::Result<void> done = llcuda::calibrate::calibrate(options);
  if (done)
    return 0;
  std::cerr << "llcuda-calibrate: " << done.error().message << '\n';
  return static_cast<int>(done.error().code);
}
