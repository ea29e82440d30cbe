// SPDX-License-Identifier: Apache-2.0
// llcuda-tune: a model in, a table of measured tiles out.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "codegen/nvrtc/kernel_worker.h"
#include "compiler/pipeline/tile_file.h"
#include "runtime/cuda/driver.h"
#include "tools/llcuda-tune/options.h"
#include "tools/llcuda-tune/report.h"
#include "tools/llcuda-tune/rounds.h"
#include "tools/llcuda-tune/scratch_folder.h"

namespace llcuda::tune {
namespace {

/// Written under another name and renamed: an old table stays until the new one is whole.
Result<void> writeTable(const std::string& text, const std::string& temporary, const std::string& path) {
  std::ofstream out(temporary, std::ios::binary);
  out << text << std::flush;
  std::error_code error;
  if (out.good())
    std::filesystem::rename(temporary, path, error);
  return out.good() && !error ? Result<void>() : badInput(path, ": cannot be written");
}

Result<void> tuneInto(const Options& options, const std::string& folder) {
  const bool host = options.device == DeviceChoice::kHost;
  // Before minutes of compiling.
  if (const auto driver = cuda::Driver::open(host ? cuda::DriverKind::kHost : cuda::DriverKind::kCuda); !driver)
    return makeError(driver.error().code, driver.error().message, "; tiles are measured where the GPU is");
  LLCUDA_ASSIGN_OR_RETURN(const Tuning tuning, tune(options, folder));
  const codegen::TileTable table = tilesOf(tuning, options.minGain);
  LLCUDA_RETURN_IF_ERROR(writeTable(pipeline::tilesJson(table), folder + "/tiles.json", options.output));
  std::cout << reportOf(tuning, options.minGain) << std::flush;
  std::cerr << options.output << ": " << table.decode.size() + table.prompt.size() << " of "
            << tuning.decode.size() + tuning.prompt.size() << " launches have a faster tile\n";
  return std::cout.good() ? Result<void>() : internalError("standard output cannot be written");
}

int run(const Options& options) {
  return withScratchFolder(options.output, [&](const std::string& folder) {
    const Result<void> done = tuneInto(options, folder);
    if (done)
      return 0;
    std::cerr << "llcuda-tune: " << done.error().message << '\n';
    return static_cast<int>(done.error().code);
  });
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
