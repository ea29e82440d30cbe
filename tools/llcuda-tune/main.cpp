// SPDX-License-Identifier: Apache-2.0
// llcuda-tune: a model in, a table of measured tiles out.
#include <cstring>
#include <iostream>

#include "codegen/nvrtc/kernel_worker.h"
#include "compiler/pipeline/tile_file.h"
#include "runtime/base/output_file.h"
#include "runtime/cuda/driver.h"
#include "tools/llcuda-tune/options.h"
#include "tools/llcuda-tune/report.h"
#include "tools/llcuda-tune/rounds.h"
#include "tools/llcuda-tune/scratch_folder.h"

namespace llcuda::tune {
namespace {

Result<void> tuneInto(const Options& options, const std::vector<InputFile>& inputs, const std::string& folder) {
  const bool host = options.device == DeviceChoice::kHost;
  // Before minutes of compiling.
  if (const auto driver = cuda::Driver::open(host ? cuda::DriverKind::kHost : cuda::DriverKind::kCuda); !driver)
    return makeError(driver.error().code, driver.error().message, "; tiles are measured where the GPU is");
  LLCUDA_ASSIGN_OR_RETURN(const Tuning tuning, tune(options, folder));
  const codegen::TileTable table = tilesOf(tuning, options.minGain);
  LLCUDA_RETURN_IF_ERROR(writeOutput(options.output, pipeline::tilesJson(table), inputs));
  std::cout << reportOf(tuning, options.minGain) << std::flush;
  std::cerr << options.output << ": " << table.decode.size() + table.prompt.size() << " of "
            << tuning.decode.size() + tuning.prompt.size() << " launches have a faster tile\n";
  return std::cout.good() ? Result<void>() : internalError("standard output cannot be written");
}

int exitCodeOf(const Result<void>& done) {
  if (done)
    return 0;
  std::cerr << "llcuda-tune: " << done.error().message << '\n';
  return static_cast<int>(done.error().code);
}

int run(const Options& options) {
  const std::vector<InputFile> inputs = identified(pipeline::inputFiles(options.compile));
  if (const Result<void> possible = checkOutput(options.output, inputs); !possible)
    return exitCodeOf(possible);
  return withScratchFolder(options.output,
                           [&](const std::string& folder) { return exitCodeOf(tuneInto(options, inputs, folder)); });
}

} // namespace
} // namespace llcuda::tune

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--kernel-worker") == 0)
    return llcuda::codegen::runKernelWorker(llcuda::codegen::kWorkerDescriptor);
  const auto options = llcuda::tune::parseOptions(argc, argv);
  if (const int* code = std::get_if<int>(&options))
    return *code;
  return llcuda::tune::run(std::get<llcuda::tune::Options>(options));
}
